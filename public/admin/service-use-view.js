import { fold, loadingFold } from "./fold.js";
import { moment } from "../parts.js";
import { sayRefusal } from "../refusal-words.js";
import { sayCount } from "./say-count.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AdminPage } from "./admin-page.js" */
/** @import { ServiceOverview, ServiceUse } from "../types.js" */

/**
 * What has been going on at a service lately.
 *
 * @param {AdminPage} page
 * @param {string} serviceId
 * @param {string} name
 */
export function serviceUseView({ overviews }, serviceId, name) {
  const overview = overviews.find(serviceId);
  if (!overview) return overviews.loading.isBusy ? loadingFold("Use", name) : nothing;
  const { use } = overview;
  return fold({
    title: "Use",
    ofWhat: name,
    summary: sayUse(use),
    content: isUnused(use)
      ? html`<p>Nobody has used it in the last ${use.days} days.</p>`
      : detailsView(overview),
  });
}

/** @param {ServiceUse} use */
export function isUnused({ identified, acted, asserted, refusals }) {
  return identified + acted + asserted === 0 && refusals.length === 0;
}

/** @param {ServiceUse} use */
function countRefusals({ refusals }) {
  return refusals.reduce((sum, { count }) => sum + count, 0);
}

/** @param {ServiceUse} use */
export function sayUse(use) {
  const { days, identified, acted, asserted } = use;
  if (isUnused(use)) return `none in the last ${days} days`;
  const refused = countRefusals(use);
  const calls = sayCount(identified + acted + asserted, "call", "calls");
  return `${calls} in the last ${days} days${refused > 0 ? `, ${sayCount(refused, "other", "others")} refused` : ""}`;
}

/** @param {ServiceOverview} overview */
function detailsView({ consents, use }) {
  const { identified, acted, asserted, people, refusals, lastUsedAt } = use;
  return html`<dl class="values">
      ${valueView("Identified", sayCount(identified, "time", "times"))}
      ${valueView("Acted", sayCount(acted, "time", "times"))}
      ${valueView("Vouched for", sayCount(asserted, "time", "times"))}
      ${valueView("For", people === 0 ? "Nobody" : sayCount(people, "person", "people"))}
      ${valueView("Agreed now", consents === 0 ? "Nobody" : sayCount(consents, "person", "people"))}
      ${valueView("Last used", lastUsedAt === null ? "Not in these days" : moment(lastUsedAt))}
      ${valueView("Refused", sayCount(countRefusals(use), "time", "times"))}
    </dl>
    ${refusals.length === 0 ? nothing : refusalsView(use)}`;
}

/**
 * @param {string} label
 * @param {unknown} value
 */
function valueView(label, value) {
  return html`<div>
    <dt>${label}</dt>
    <dd>${value}</dd>
  </div>`;
}

/** @param {ServiceUse} use */
function refusalsView({ refusals }) {
  return html`<ul class="refusals">
    ${refusals.map(
      ({ code, count, lastAt }) =>
        html`<li>
          ${sayRefusal(code)}: ${sayCount(count, "time", "times")},
          <span class="subtle">last on ${moment(lastAt)}</span>
        </li>`,
    )}
  </ul>`;
}
