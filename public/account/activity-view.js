import { button, moment, problemMessage, waiting } from "../parts.js";
import { describeRequests, REQUEST_PRESETS } from "../request-presets.js";
import { sayRefusal } from "../refusal-words.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AccountActions } from "./account-page.js" */
/** @import { Activity } from "./activity-actions.js" */
/** @import { Deed } from "../types.js" */

/**
 * @typedef {object} ActivityParts
 * @property {AccountActions["activity"]} actions
 * @property {"jira" | "confluence"} product
 * @property {string} productName
 */

/**
 * @param {Activity} activity
 * @param {ActivityParts} parts
 */
export function activityView(activity, parts) {
  const { isBusy, isLoaded, error } = activity;
  return html`<section class="part" aria-labelledby="activity" aria-busy=${isBusy ? "true" : "false"}>
    <h2 id="activity">What was done in your name</h2>
    ${isLoaded ? deedsView(activity, parts) : isBusy ? waiting("Loading …") : nothing}
    ${error ? problemMessage(error, { retry: () => void retry(activity, parts) }) : nothing}
  </section>`;
}

/**
 * @param {Activity} activity
 * @param {ActivityParts} parts
 */
function retry({ isLoaded }, { actions }) {
  return isLoaded ? actions.loadMore() : actions.load();
}

/**
 * @param {Activity} activity
 * @param {ActivityParts} parts
 */
function deedsView({ deeds, nextCursor, isBusy }, parts) {
  const { actions, productName } = parts;
  if (deeds.length === 0) {
    return html`<p class="subtle">
      Nothing yet. Whatever a tool does in ${productName} as you stands here.
    </p>`;
  }
  return html`<ol class="deeds">
      ${deeds.map((deed, index) => deedView(deed, index, parts))}
    </ol>
    ${
      nextCursor === null
        ? nothing
        : html`<div class="actions">
            ${button({
              label: "Show more",
              busyLabel: "Loading …",
              isBusy,
              onClick: () => void actions.loadMore(),
            })}
          </div>`
    }`;
}

/**
 * @param {Deed} deed
 * @param {number} index
 * @param {ActivityParts} parts
 */
function deedView(deed, index, { product, productName }) {
  const { at, label, method, path, status, milliseconds } = deed;
  return html`<li class="deed" tabindex="-1" data-deed=${index}>
    <p>
      <strong><bdi>${label}</bdi></strong
      >: ${sayDeed(deed, product)}
      ${isDone(deed) ? nothing : html`<span class="lozenge warning">${nameFailure(deed, productName)}</span>`}
    </p>
    <p class="subtle">
      <small>${moment(at)}${sayReason(deed)}</small>
    </p>
    <p><code>${method} ${path} · ${status ?? "no answer"} · ${milliseconds} ms</code></p>
  </li>`;
}

/**
 * @param {Deed} deed
 * @param {"jira" | "confluence"} product
 */
function sayDeed({ method, path }, product) {
  const preset = REQUEST_PRESETS[product].find(({ requests }) =>
    requests.some((request) => request.path === path && request.methods.includes(method)),
  );
  return preset?.label ?? describeRequests([{ methods: [method], path }], product)[0]?.words;
}

/** @param {Deed} deed */
function isDone({ status, code }) {
  return code === null && status !== null && status < 400;
}

/**
 * @param {Deed} deed
 * @param {string} productName
 */
function nameFailure({ status, code }, productName) {
  if (code === "caller_left" || status === null) return "Broken off";
  if (code !== null) return "Failed";
  return status < 500 ? `${productName} refused it` : `${productName} failed`;
}

/** @param {Deed} deed */
function sayReason({ code }) {
  if (code === null) return nothing;
  return `. ${code === "caller_left" ? "The tool left before the end" : sayRefusal(code)}.`;
}
