import { invokeRemote, requestConfluence, requestJira, router, view } from "@forge/bridge";

import { askForNames } from "../../public/ask-for-names.js";
import { NoAnswerError } from "../../public/errors.js";
import { readAppQuery } from "../../public/read-app-query.js";
import { waitForTheme } from "../../public/wait-for-theme.js";

/** @import { Host, HostAnswer, HostRequest } from "../../public/types.js" */

/** Forge itself gives up after 25 seconds. */
const ANSWER_TIMEOUT_MS = 30_000;
const LOCATION_TIMEOUT_MS = 1_000;
/** All that Forge tells of an answer with status 401, which it takes for a word on its own token. */
const TOKEN_REFUSED = "Forge Invocation Token";

/**
 * Jira and Confluence, through Forge's bridge.
 *
 * @param {DOMStringMap} shell
 * @returns {Host}
 */
export function createForgeHost(shell) {
  const appUrl = new URL(shell["appUrl"] ?? "");
  return {
    appUrl,
    start,
    findProduct,
    openTab,
    mayTakeOver: true,
    findQuery,
    send: (request) => send(appUrl, request),
    findAccountNames,
  };
}

async function start() {
  document.addEventListener("click", openLink);
  const themed = waitForTheme();
  view.theme.enable().catch(() => undefined);
  await themed;
}

/**
 * The frame may open nothing itself.
 *
 * @param {MouseEvent} event
 */
function openLink(event) {
  const link = /** @type {Element | null} */ (event.target)?.closest("a[target=_blank]");
  if (!link) return;
  event.preventDefault();
  void openTab(new URL(/** @type {HTMLAnchorElement} */ (link).href));
}

/** @param {URL} url */
async function openTab(url) {
  try {
    await router.open(url.href);
    return true;
  } catch {
    return false;
  }
}

/** The manifest names every module for its product. */
async function findProduct() {
  const { moduleKey } = await view.getContext();
  if (moduleKey.startsWith("jira-")) return "jira";
  if (moduleKey.startsWith("confluence-")) return "confluence";
  throw new Error(`The module ${moduleKey} belongs to no product.`);
}

async function findQuery() {
  const context = await within(LOCATION_TIMEOUT_MS, view.getContext()).catch(() => null);
  return readAppQuery(context?.extension["location"]);
}

/**
 * @param {URL} appUrl
 * @param {HostRequest} request
 * @returns {Promise<HostAnswer>}
 */
async function send({ pathname }, { method, path, body }) {
  const call = invokeRemote({
    method,
    path: `${pathname.slice(0, -1)}${path}`,
    headers: {
      accept: "application/json",
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body }),
  });
  const answer = await within(ANSWER_TIMEOUT_MS, call).catch((/** @type {unknown} */ error) => {
    // The network is well, and the next try would end the same.
    if (String(error).includes(TOKEN_REFUSED))
      throw new Error("The app takes no calls from here.", { cause: error });
    throw new NoAnswerError("The app gave no answer.", { cause: error });
  });
  // A host that doesn't know the call says nothing, and calls that a success.
  if (!Number.isInteger(answer.status)) throw new NoAnswerError("Forge gave no answer.");
  return readAnswer(answer);
}

/**
 * @param {Awaited<ReturnType<typeof invokeRemote>>} answer
 * @returns {HostAnswer}
 */
function readAnswer({ status, headers, body }) {
  // Forge keeps 401 for itself, so the app sends its own as a 422 that says so.
  const isOwn401 = status === 422 && body?.["status"] === 401;
  return {
    status: isOwn401 ? 401 : status,
    body: body ?? null,
    retryAfterSeconds: Number(findHeader(headers, "retry-after")) || null,
  };
}

/**
 * @param {Readonly<Record<string, unknown>> | undefined} headers
 * @param {string} wanted
 */
function findHeader(headers, wanted) {
  return Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === wanted)?.[1];
}

/** @type {Host["findAccountNames"]} */
async function findAccountNames(accountIds) {
  const product = await findProduct().catch(() => null);
  if (!product) return new Map();
  return askForNames(accountIds, product, async (path) => {
    const answer = await (product === "jira" ? requestJira(path) : requestConfluence(`/wiki${path}`));
    return answer.text();
  });
}

/**
 * @template T
 * @param {number} milliseconds
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
function within(milliseconds, promise) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Promise<never>} */
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("It took too long.")), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
