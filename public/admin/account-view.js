import { html } from "../vendor/lit-html/lit-html.js";

/** @import { AccountNames } from "./account-names.js" */

/**
 * Somebody within a sentence. People choose their names themselves, so the account id, which they can't choose, goes
 * with it.
 *
 * @param {AccountNames} names
 * @param {string} accountId
 */
export function accountView(names, accountId) {
  const name = names.find(accountId);
  return name === null
    ? html`<strong>${accountId}</strong>`
    : html`<strong><bdi>${name}</bdi></strong> <small>${accountId}</small>`;
}
