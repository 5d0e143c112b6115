/** @import { Host } from "../types.js" */

/** How long a list waits for names, so that it needn't show account ids first. */
const PATIENCE_MS = 400;

/** Names of accounts, asked for once each. A list is complete without them. */
export class AccountNames {
  /** @type {Map<string, string>} */
  #names = new Map();
  /** @type {Set<string>} */
  #asked = new Set();
  /** @type {Set<string>} */
  #answered = new Set();
  #host;
  #onChange;

  /**
   * @param {Host} host
   * @param {() => void} onChange
   */
  constructor(host, onChange) {
    this.#host = host;
    this.#onChange = onChange;
  }

  /** @param {string} accountId */
  find(accountId) {
    return this.#names.get(accountId) ?? null;
  }

  /**
   * Whether the product was asked for the name and had none to give.
   *
   * @param {string} accountId
   */
  isNameless(accountId) {
    return this.#answered.has(accountId) && !this.#names.has(accountId);
  }

  /**
   * Comes back when the names are here, or after a moment: then they are filled in later.
   *
   * @param {Iterable<string>} accountIds
   */
  async load(accountIds) {
    const unknown = [...new Set(accountIds)].filter((accountId) => !this.#asked.has(accountId));
    if (unknown.length === 0) return;
    for (const accountId of unknown) this.#asked.add(accountId);
    const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
    await Promise.race([this.#ask(unknown), patience]);
  }

  /** @param {readonly string[]} accountIds */
  async #ask(accountIds) {
    const names = await this.#host.findAccountNames(accountIds);
    for (const [accountId, name] of names) this.#names.set(accountId, name);
    for (const accountId of accountIds) this.#answered.add(accountId);
    this.#onChange();
  }
}
