import { tidyName } from "./tidy-name.js";

/** As many as both products take in one question. */
const NAMES_AT_ONCE = 50;

/**
 * Names of accounts, as the product tells whoever looks. Never throws; who isn't found is left out.
 *
 * @param {readonly string[]} accountIds
 * @param {"jira" | "confluence"} product
 * @param {(path: string) => Promise<string>} ask Gets the body of the product's answer.
 * @returns {Promise<ReadonlyMap<string, string>>}
 */
export async function askForNames(accountIds, product, ask) {
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
      const body = await ask(`${path}?${query.toString()}`);
      for (const user of listUsers(JSON.parse(body))) names.set(user.accountId, user.name);
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
