import { askForNames } from "./ask-for-names.js";
import { HostMissingError, NoAnswerError } from "./errors.js";
import { readAppQuery } from "./read-app-query.js";
import { waitForTheme } from "./wait-for-theme.js";

/** @import { Host, HostAnswer, HostRequest } from "./types.js" */

const ANSWER_TIMEOUT_MS = 30_000;
const LOCATION_TIMEOUT_MS = 1_000;

// These files are served at <app>/public/<version>/.
const APP_URL = new URL("../../", import.meta.url);

/**
 * For a page whose shell names its product.
 *
 * @param {DOMStringMap} shell
 */
export function createShellHost({ product }) {
  return createConnectHost(product === "confluence" ? "confluence" : "jira");
}

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
    findProduct: () => Promise.resolve(product),
    openTab: null,
    mayTakeOver: false,
    findQuery: async () => readAppQuery(await findLocation()),
    send,
    findAccountNames: (accountIds) =>
      askForNames(accountIds, product, async (path) => (await getBridge().request(path)).body),
  };
}

async function start() {
  const bridge = getBridge();
  if (!bridge.theming) return;
  const themed = waitForTheme();
  bridge.theming.initializeTheming();
  await themed;
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
