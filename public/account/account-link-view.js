import { button, explain, moment } from "../parts.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AccountActions, Unlinking } from "./account-page.js" */
/** @import { Link } from "../types.js" */

/** @type {Readonly<Record<Link["method"], string>>} */
const PROVED_BY = {
  proof: "You, signed in on both sides",
  admin: "An admin, for you",
  email: "Your e-mail address",
};

/**
 * @param {Link} link
 * @param {Unlinking | null} unlinking
 * @param {{ readonly actions: AccountActions, readonly productName: string }} parts
 */
export function linkCard(link, unlinking, { actions, productName }) {
  return html`<div class="card" data-link=${link.id}>
    <p class="who"><bdi>${link.email}</bdi></p>
    <p class="subtle">${new URL(link.issuer).host}</p>
    <dl class="facts">
      <div>
        <dt>Linked since</dt>
        <dd>${moment(link.linkedAt)}</dd>
      </div>
      <div>
        <dt>Linked by</dt>
        <dd>${PROVED_BY[link.method]}</dd>
      </div>
      <div>
        <dt>Last used by a tool</dt>
        <dd>${link.lastUsedAt ? moment(link.lastUsedAt) : "Not yet"}</dd>
      </div>
    </dl>
    ${
      unlinking
        ? question(link, unlinking, { actions, productName })
        : html`<div class="actions">
            <button type="button" @click=${() => actions.askToUnlink(link.id)}>
              Unlink<span class="visually-hidden"> <bdi>${link.email}</bdi></span>
            </button>
          </div>`
    }
  </div>`;
}

/**
 * @param {Link} link
 * @param {Unlinking} unlinking
 * @param {{ readonly actions: AccountActions, readonly productName: string }} parts
 */
function question(link, { isBusy, error }, { actions, productName }) {
  return html`<div class="question" role="group" aria-labelledby="unlink-question" data-unlink=${link.id}>
    <p id="unlink-question">
      <strong>Unlink <bdi>${link.email}</bdi>?</strong> From then on, tools behind Cloudflare Access can’t
      tell who you are in ${productName}. It counts at once, and you can link again.
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
