import { button, explain, moment } from "../parts.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AccountActions } from "./account-page.js" */
/** @import { LinkWork } from "./link-actions.js" */
/** @import { Link } from "../types.js" */

/**
 * @typedef {object} LinkParts
 * @property {AccountActions} actions
 * @property {LinkWork | null} work On this link.
 * @property {boolean} isArrival Somebody was sent here to see it.
 * @property {(() => void) | null} proveAgain Null while nobody can link.
 * @property {string} productName
 */

/** @type {Readonly<Record<Link["method"], string>>} */
const PROVED_BY = {
  proof: "You, signed in on both sides",
  admin: "An admin, for you",
  email: "Your e-mail address",
};

/**
 * @param {Link} link
 * @param {LinkParts} parts
 */
export function linkCard(link, parts) {
  const { actions, work, isArrival, productName } = parts;
  const isAsking = work?.kind === "unlink";
  return html`<div
    class="card ${isArrival ? "is-arrival" : ""}"
    data-link=${link.id}
    data-arrival=${isArrival ? "" : nothing}
    tabindex="-1"
    role="group"
    aria-labelledby="link-${link.id}"
  >
    ${isArrival ? html`<p class="arrival">You were sent here because of this link.</p>` : nothing}
    <p class="who" id="link-${link.id}" tabindex="-1" data-heading><bdi>${link.email}</bdi></p>
    <p class="subtle">${new URL(link.issuer).host}</p>
    ${factsView(link)} ${isAsking ? nothing : needView(link, parts)}
    ${
      isAsking
        ? question(link, work, { actions, productName })
        : html`<div class="actions">
            ${needButton(link, parts)}
            <button type="button" data-ask-to-unlink @click=${() => actions.askToUnlink(link.id)}>
              Unlink<span class="visually-hidden"> <bdi>${link.email}</bdi></span>
            </button>
          </div>`
    }
  </div>`;
}

/** @param {Link} link */
function factsView({ linkedAt, method, confirmedAt, lastUsedAt }) {
  return html`<dl class="facts">
    <div>
      <dt>Linked since</dt>
      <dd>${moment(linkedAt)}</dd>
    </div>
    <div>
      <dt>Linked by</dt>
      <dd>${PROVED_BY[method]}</dd>
    </div>
    ${
      confirmedAt
        ? html`<div>
            <dt>Confirmed by you</dt>
            <dd>${moment(confirmedAt)}</dd>
          </div>`
        : nothing
    }
    <div>
      <dt>Last used by a tool</dt>
      <dd>${lastUsedAt ? moment(lastUsedAt) : "Not yet"}</dd>
    </div>
  </dl>`;
}

/**
 * What its owner has to do before a tool may act through it: a proof that nobody has used for long is proved again, what
 * others had linked is confirmed.
 *
 * @param {Link} link
 * @returns {"confirm" | "prove" | null}
 */
function findNeed({ standing, method }) {
  if (standing === "unconfirmed") return "confirm";
  if (standing === "lapsed") return method === "proof" ? "prove" : "confirm";
  return null;
}

/**
 * @param {Link} link
 * @param {LinkParts} parts
 */
function needView(link, { work, proveAgain }) {
  const need = findNeed(link);
  const error = work?.error ? explain(work.error) : null;
  return html`${need ? html`<p class="needs">${sayNeed(link, need, proveAgain !== null)}</p>` : nothing}
    <p class="field-error" role="alert">${error ? `${error.title}. ${error.text}` : nothing}</p>`;
}

/**
 * @param {Link} link
 * @param {"confirm" | "prove"} need
 * @param {boolean} canProve
 */
function sayNeed({ email, standing }, need, canProve) {
  if (need === "prove") {
    return html`<strong>Prove this link again.</strong> Nobody has used it for 90 days, so no tool can act for
      you through it.
      ${canProve ? "Sign in on both sides once more; nothing else changes." : "You can do that when linking is possible again."}`;
  }
  return standing === "lapsed"
    ? html`<strong>Is <bdi>${email}</bdi> still you?</strong> Nobody has used this link for 90 days, so no
        tool can act for you through it. If it is you in Cloudflare Access, confirm it again. If not, unlink
        it.`
    : html`<strong>Is <bdi>${email}</bdi> you?</strong> You haven’t proved this link, so no tool can act for
        you through it. If it is you in Cloudflare Access, confirm it. If not, unlink it and tell an admin.`;
}

/**
 * @param {Link} link
 * @param {LinkParts} parts
 */
function needButton(link, { actions, work, proveAgain }) {
  const need = findNeed(link);
  if (need === "confirm") {
    return button({
      label: html`Yes, this is me<span class="visually-hidden"> (<bdi>${link.email}</bdi>)</span>`,
      busyLabel: "Confirming …",
      isBusy: work?.isBusy ?? false,
      kind: "primary",
      onClick: () => void actions.confirmLink(link),
    });
  }
  if (need === "prove" && proveAgain) {
    return button({ label: "Prove it again", kind: "primary", onClick: proveAgain });
  }
  return nothing;
}

/**
 * @param {Link} link
 * @param {LinkWork} work
 * @param {Pick<LinkParts, "actions" | "productName">} parts
 */
function question(link, { isBusy, error }, { actions, productName }) {
  return html`<div class="question" role="group" aria-labelledby="unlink-question" data-unlink=${link.id}>
    <p id="unlink-question">
      <strong>Unlink <bdi>${link.email}</bdi>?</strong> From then on, tools behind Cloudflare Access can’t
      tell who you are in ${productName}, and none can act for you. It counts at once, and you can link again.
    </p>
    <p class="field-error" role="alert">
      ${error ? `${explain(error).title}. ${explain(error).text}` : nothing}
    </p>
    <div class="actions">
      ${button({
        label: "Unlink",
        busyLabel: "Unlinking …",
        isBusy,
        kind: "danger",
        onClick: () => void actions.unlink(link),
      })}
      <button type="button" data-keep @click=${() => actions.keepLink()}>Keep it linked</button>
    </div>
  </div>`;
}
