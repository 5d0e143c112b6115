import { describeRequests } from "../request-presets.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { Service } from "../types.js" */

/**
 * @typedef {object} Line Something that a service may do.
 * @property {string} words
 * @property {boolean} isNew Not among what was shown before.
 */

/**
 * What a service may do, in plain words, and in full for those who want to know exactly.
 *
 * @param {Service} service
 * @param {Service | null} before What was shown before, where that is something else.
 * @param {"jira" | "confluence"} product
 * @param {string} productName
 */
export function requestsView(service, before, product, productName) {
  const lines = listLines(service, product, productName);
  const old = before && listLines(before, product, productName);
  const gone = (old ?? []).filter((words) => !lines.includes(words));
  return html`<ul class="may">
      ${lines.map(
        (words) =>
          html`<li>
            ${words}${old && !old.includes(words) ? html` <span class="lozenge warning">New</span>` : nothing}
          </li>`,
      )}
      ${gone.map((words) => html`<li><del>${words}</del> <span class="lozenge">No longer</span></li>`)}
    </ul>
    ${service.requests.length > 0 ? exactly(service) : nothing}`;
}

/**
 * @param {Service} service
 * @param {"jira" | "confluence"} product
 * @param {string} productName
 */
function listLines({ purposes, requests }, product, productName) {
  const words = describeRequests(requests, product).map((each) => each.words);
  return [
    ...(purposes.includes("identify")
      ? [`See who you are in ${productName} (without your consent, too)`]
      : []),
    ...(purposes.includes("act") && words.length === 0
      ? ["Nothing as you yet: an admin hasn’t said what"]
      : []),
    ...words,
    ...(purposes.includes("assert")
      ? [`Be told who you are by pages in ${productName} that you look at`]
      : []),
  ];
}

/** @param {Service} service */
function exactly({ label, requests }) {
  return html`<details class="exactly">
    <summary>
      The requests in full<span class="visually-hidden"> of <bdi>${label}</bdi></span>
    </summary>
    <ul class="patterns">
      ${requests.map(({ methods, path }) => html`<li><code>${methods.join(", ")} ${path}</code></li>`)}
    </ul>
    <p class="hint">* stands for one part of a path, ** for everything below it.</p>
  </details>`;
}
