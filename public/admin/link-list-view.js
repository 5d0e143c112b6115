import { adminProblem } from "./admin-parts.js";
import { ApiError } from "../errors.js";
import { valueOf } from "./form-parts.js";
import { keepButtonId, undoButtonId, unlinkButtonId } from "./link-list.js";
import { button, explain, moment, nameProduct, waiting } from "../parts.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AdminPage } from "./admin-page.js" */
/** @import { LinkRow } from "./link-list.js" */
/** @import { Link } from "../types.js" */

/** @type {Readonly<Record<Link["method"], string>>} */
const METHODS = {
  proof: "Proved by the person",
  email: "Matched by e-mail",
  admin: "Entered by an admin",
};

/** @type {Readonly<Partial<Record<Link["standing"], string>>>} What keeps services from acting through it. */
const STANDINGS = {
  unconfirmed: "Not confirmed",
  lapsed: "Not used for 90 days",
};

/** @param {AdminPage} page */
export function linkListView(page) {
  const { links, product } = page;
  const { loading, isLoaded } = links.pages;
  return html`<section aria-busy=${loading.isBusy ? "true" : "false"}>
    <h2 id="links-heading" tabindex="-1">Links</h2>
    <p class="lead">Who has linked which Access identity in ${nameProduct(product)}.</p>
    <div class="field">
      <label for="link-search">Search by e-mail or account id</label>
      <input
        type="search"
        id="link-search"
        autocomplete="off"
        spellcheck="false"
        maxlength="200"
        .value=${live(links.query)}
        @input=${(/** @type {Event} */ event) => links.search(valueOf(event))}
      />
    </div>
    <p class="visually-hidden" role="status">${sayList(page)}</p>
    ${loading.error ? adminProblem(loading.error, { product, retry: () => void links.load() }) : nothing}
    ${isLoaded ? rowsView(page) : loading.isBusy ? waiting("Loading the links …") : nothing}
  </section>`;
}

/** @param {AdminPage} page */
function sayList({ links }) {
  if (links.said !== "") return links.said;
  if (!links.pages.isLoaded || links.pages.loading.isBusy) return "";
  const count = links.rows.length;
  return `${count}${links.pages.hasMore ? " or more" : ""} ${count === 1 ? "link" : "links"}`;
}

/** @param {AdminPage} page */
function rowsView(page) {
  const { links } = page;
  if (links.rows.length === 0) return emptyView(page);
  return html`<div class="table" role="table" aria-labelledby="links-heading">
      <div role="rowgroup">
        <div role="row" class="row head">
          <span role="columnheader">Person</span>
          <span role="columnheader">Access identity</span>
          <span role="columnheader">How</span>
          <span role="columnheader">Linked</span>
          <span role="columnheader">Last used</span>
          <span role="columnheader"><span class="visually-hidden">What you can do</span></span>
        </div>
      </div>
      <div role="rowgroup">
        ${repeat(
          links.rows,
          ({ link }) => link.id,
          (row) => rowView(page, row),
        )}
      </div>
    </div>
    ${
      links.pages.hasMore
        ? html`<div class="actions">
            ${button({
              label: "Show more",
              busyLabel: "Loading …",
              isBusy: links.pages.loading.isBusy,
              onClick: () => void links.loadMore(),
            })}
          </div>`
        : nothing
    }`;
}

/** @param {AdminPage} page */
function emptyView({ links, product }) {
  return links.answered === ""
    ? html`<div class="empty">
        <p><strong>Nobody has linked yet</strong></p>
        <p>People link on the Cloudflare Access page in ${nameProduct(product)}, under Apps.</p>
      </div>`
    : html`<div class="empty">
        <p><strong>No link matches “${links.answered}”</strong></p>
        <p>
          Names can’t be searched, as the app doesn’t store them. Search by a part of the e-mail address, or
          by the account id.
        </p>
      </div>`;
}

/**
 * @param {AdminPage} page
 * @param {LinkRow} row
 */
function rowView(page, row) {
  const { link, phase } = row;
  return html`<div role="row" class="row ${phase}">
    <div role="cell">${personView(page, link.accountId)}</div>
    <div role="cell">
      <span class="cell-label" aria-hidden="true">Access identity</span><bdi>${link.email}</bdi>
    </div>
    <div role="cell">
      <span class="cell-label" aria-hidden="true">How</span>${METHODS[link.method]}
      <small class="standing">${STANDINGS[link.standing] ?? nothing}</small>
    </div>
    <div role="cell"><span class="cell-label" aria-hidden="true">Linked</span>${moment(link.linkedAt)}</div>
    <div role="cell">
      <span class="cell-label" aria-hidden="true">Last used</span>${
        link.lastUsedAt === null ? "Never" : moment(link.lastUsedAt)
      }
    </div>
    <div role="cell" class="row-action">${actionView(page, row)}</div>
  </div>`;
}

/**
 * @param {AdminPage} page
 * @param {string} accountId
 */
function personView({ names }, accountId) {
  // The line is kept free for a name that comes later.
  const name = names.find(accountId) ?? (names.isNameless(accountId) ? "Name not visible to you" : "\u00a0");
  return html`<strong class="name"><bdi>${name}</bdi></strong
    ><small class="account-id">${accountId}</small>`;
}

/**
 * @param {AdminPage} page
 * @param {LinkRow} row
 */
function actionView(page, row) {
  const { links, product } = page;
  const { link, phase, isBusy, error } = row;
  const problem = error ? html`<p class="field-error" role="alert">${sayRefusal(row, error)}</p>` : nothing;
  switch (phase) {
    case "linked":
      return html`<button type="button" id=${unlinkButtonId(link.id)} @click=${() => links.ask(link.id)}>
          Unlink<span class="visually-hidden"> <bdi>${link.email}</bdi></span>
        </button>
        ${problem}`;
    case "asking":
      return html`<p id="ask-${link.id}">
          Unlink <bdi>${link.email}</bdi>? Services will no longer know this person in ${nameProduct(product)}
          until they link again.
        </p>
        <div
          class="actions"
          role="group"
          aria-labelledby="ask-${link.id}"
          @keydown=${(/** @type {KeyboardEvent} */ { key }) => key === "Escape" && !isBusy && links.keep(link.id)}
        >
          ${button({
            label: "Unlink",
            busyLabel: "Unlinking …",
            kind: "danger",
            isBusy,
            onClick: () => void links.unlink(row),
          })}
          ${button({
            id: keepButtonId(link.id),
            label: "Keep it linked",
            isBusy,
            onClick: () => links.keep(link.id),
          })}
        </div>
        ${problem}`;
    case "unlinked":
      return html`<p>Unlinked <bdi>${link.email}</bdi>. You can undo this for ten minutes.</p>
        <div class="actions">
          ${button({
            id: undoButtonId(link.id),
            label: "Undo",
            busyLabel: "Linking again …",
            isBusy,
            onClick: () => void links.undo(row),
          })}
        </div>
        ${problem}`;
  }
}

/**
 * @param {LinkRow} row
 * @param {unknown} error
 */
function sayRefusal({ phase }, error) {
  const code = error instanceof ApiError ? error.problem.code : null;
  if (phase === "asking" && code === "not_found") return "This link is gone already.";
  if (phase === "unlinked" && code === "not_found")
    return "It is too late to undo this: ten minutes have passed.";
  if (code === "already_linked") {
    return "This Access identity has been linked again meanwhile. Search for it to see its new link.";
  }
  const { title, text } = explain(error);
  return `${title}. ${text}`;
}
