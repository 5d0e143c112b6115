import { HostMissingError, NoAnswerError } from "./errors.js";
import { tidyName } from "./tidy-name.js";

/** @import { Host, HostAnswer, HostRequest } from "./types.js" */

const ANSWER_TIMEOUT_MS = 30_000;
const THEME_TIMEOUT_MS = 250;
const LOCATION_TIMEOUT_MS = 1_000;
/** Both products leave parameters that begin so to apps. */
const QUERY_PREFIX = "ac.";
/** As many as both products take in one question. */
const NAMES_AT_ONCE = 50;

// These files are served at <app>/public/<version>/.
const APP_URL = new URL("../../", import.meta.url);

/**
 * Jira and Confluence, through Atlassian's bridge.
 *
 * @param {"jira" | "confluence"} product
 * @returns {Host}
 */
export function createConnectHost(product) {
  return {
    appUrl: APP_URL,
    start,
    findQuery,
    send,
    findAccountNames: (accountIds) => findAccountNames(product, accountIds),
  };
}

async function start() {
  const bridge = getBridge();
  if (!bridge.theming) return;
  const themed = waitForTheme();
  bridge.theming.initializeTheming();
  await themed;
}

/** The bridge doesn't say when it is done, and says nothing at all in a product without themes. */
function waitForTheme() {
  return new Promise((resolve) => {
    const observer = new MutationObserver(finish);
    const timer = setTimeout(finish, THEME_TIMEOUT_MS);
    observer.observe(document.documentElement, { attributeFilter: ["data-color-mode"] });

    function finish() {
      observer.disconnect();
      clearTimeout(timer);
      resolve(undefined);
    }
  });
}

async function findQuery() {
  const query = new URLSearchParams();
  for (const [name, value] of readQuery(await findLocation())) {
    if (name.startsWith(QUERY_PREFIX)) query.append(name.slice(QUERY_PREFIX.length), value);
  }
  return query;
}

/** @returns {Promise<string>} Empty when the bridge doesn't tell. */
function findLocation() {
  return new Promise((resolve) => {
    setTimeout(() => resolve(""), LOCATION_TIMEOUT_MS);
    const { getLocation, env } = getBridge();
    const find = getLocation ?? env?.getLocation;
    if (find) find(resolve);
    else resolve("");
  }).catch(() => "");
}

/** @param {string} location */
function readQuery(location) {
  return URL.canParse(location) ? new URL(location).searchParams : new URLSearchParams();
}

/**
 * @param {HostRequest} request
 * @returns {Promise<HostAnswer>}
 */
async function send({ method, path, body }) {
  const token = await getBridge().context.getToken();
  try {
    const response = await fetch(new URL(path.slice(1), APP_URL), {
      method,
      credentials: "omit",
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      headers: {
        accept: "application/json",
        authorization: `JWT ${token}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: parseJson(text),
      retryAfterSeconds: Number(response.headers.get("retry-after")) || null,
    };
  } catch (error) {
    throw new NoAnswerError("The app gave no answer.", { cause: error });
  }
}

/**
 * @param {"jira" | "confluence"} product
 * @param {readonly string[]} accountIds
 */
async function findAccountNames(product, accountIds) {
  /** @type {Map<string, string>} */
  const names = new Map();
  const path = product === "jira" ? "/rest/api/3/user/bulk" : "/rest/api/user/bulk";
  const unique = [...new Set(accountIds)];
  try {
    for (let first = 0; first < unique.length; first += NAMES_AT_ONCE) {
      const query = new URLSearchParams(
        unique.slice(first, first + NAMES_AT_ONCE).map((accountId) => ["accountId", accountId]),
      );
      if (product === "jira") query.set("maxResults", String(NAMES_AT_ONCE));
      const { body } = await getBridge().request(`${path}?${query.toString()}`);
      for (const user of listUsers(parseJson(body))) names.set(user.accountId, user.name);
    }
  } catch {
    // Names only make a list easier to read: it is complete without them.
  }
  return names;
}

/**
 * Jira lists `values`, Confluence `results`.
 *
 * @param {unknown} answer
 */
function listUsers(answer) {
  const { values, results } = /** @type {{ values?: unknown, results?: unknown }} */ (answer ?? {});
  const users = /** @type {{ accountId?: unknown, displayName?: unknown }[]} */ (
    [values, results].find(Array.isArray) ?? []
  );
  return users.flatMap(({ accountId, displayName }) => {
    const name = typeof displayName === "string" ? tidyName(displayName) : null;
    return typeof accountId === "string" && name !== null ? [{ accountId, name }] : [];
  });
}

function getBridge() {
  if (!window.AP) throw new HostMissingError("The product's script is not there.");
  return window.AP;
}

/**
 * @param {string} text
 * @returns {unknown}
 */
function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
