import { accountView } from "./account-view.js";
import { adminProblem } from "./admin-parts.js";
import { eventId } from "./audit-list.js";
import { ACTIONS, describeEvent } from "./audit-sentence.js";
import { valueOf } from "./form-parts.js";
import { button, moment, waiting } from "../parts.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AdminPage } from "./admin-page.js" */
/** @import { AuditFilter } from "./audit-list.js" */
/** @import { Part } from "./audit-sentence.js" */
/** @import { AuditEvent } from "../types.js" */

/** @typedef {readonly (readonly [value: string, words: string])[]} Options */

/** @type {readonly (readonly [AuditFilter["what"], string])[]} */
const KINDS = [
  ["changes", "Changes"],
  ["use", "What services did"],
  ["", "Everything"],
];

/** @type {readonly (readonly [AuditFilter["actorType"], string])[]} */
const ACTORS = [
  ["", "Anybody"],
  ["user", "People"],
  ["host", "Atlassian"],
  ["system", "The app itself"],
  ["account", "One account"],
];

/** @param {AdminPage} page */
export function auditListView(page) {
  const { audit, product } = page;
  const { loading, isLoaded } = audit.pages;
  return html`<section aria-busy=${loading.isBusy ? "true" : "false"}>
    <h2 id="audit-heading" tabindex="-1">Audit log</h2>
    <p class="lead">What was changed, and what services did for people, newest first.</p>
    ${filterView(page)}
    <p class="visually-hidden" role="status">${sayList(page)}</p>
    ${loading.error ? adminProblem(loading.error, { product, retry: () => void audit.load() }) : nothing}
    ${isLoaded ? eventsView(page) : loading.isBusy ? waiting("Loading the audit log …") : nothing}
  </section>`;
}

/** @param {AdminPage} page */
function sayList({ audit: { events, pages } }) {
  if (!pages.isLoaded || pages.loading.isBusy) return "";
  const count = events.length;
  return `${count}${pages.hasMore ? " or more" : ""} ${count === 1 ? "event" : "events"}`;
}

/** @param {AdminPage} page */
function filterView({ audit }) {
  const { filter } = audit;
  return html`<div class="filters" role="group" aria-label="Filter">
    ${selectView({
      id: "audit-what",
      label: "What",
      chosen: filter.what,
      options: KINDS,
      more: Object.entries(ACTIONS),
      onChange: (what) => audit.narrow({ what: /** @type {AuditFilter["what"]} */ (what) }),
    })}
    ${selectView({
      id: "audit-actor",
      label: "Done by",
      chosen: filter.actorType,
      options: ACTORS,
      onChange: (actorType) =>
        audit.narrow({ actorType: /** @type {AuditFilter["actorType"]} */ (actorType) }),
    })}
    ${inputView("audit-from", "From", "date", filter.firstDay, (firstDay) => audit.narrow({ firstDay }))}
    ${inputView("audit-to", "To", "date", filter.lastDay, (lastDay) => audit.narrow({ lastDay }))}
    ${
      filter.actorType === "account"
        ? inputView("audit-account", "Account id", "text", filter.accountId, (accountId) =>
            audit.narrow({ accountId }),
          )
        : nothing
    }
  </div>`;
}

/**
 * @param {{ id: string, label: string, chosen: string, options: Options, more?: Options, onChange: (value: string) => void }} parts
 */
function selectView({ id, label, chosen, options, more, onChange }) {
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <select id=${id} @change=${(/** @type {Event} */ event) => onChange(valueOf(event))}>
      ${optionsView(options, chosen)}
      ${more ? html`<optgroup label="Only">${optionsView(more, chosen)}</optgroup>` : nothing}
    </select>
  </div>`;
}

/**
 * @param {Options} options
 * @param {string} chosen
 */
function optionsView(options, chosen) {
  return options.map(
    ([option, words]) => html`<option value=${option} .selected=${live(option === chosen)}>${words}</option>`,
  );
}

/**
 * @param {string} id
 * @param {string} label
 * @param {"date" | "text"} type
 * @param {string} value
 * @param {(value: string) => void} onInput
 */
function inputView(id, label, type, value, onInput) {
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <input
      id=${id}
      type=${type}
      autocomplete="off"
      .value=${live(value)}
      @input=${(/** @type {Event} */ event) => onInput(valueOf(event))}
    />
  </div>`;
}

/** @param {AdminPage} page */
function eventsView(page) {
  const { audit } = page;
  if (audit.events.length === 0) return emptyView(page);
  return html`<ol class="events">
      ${repeat(
        audit.events,
        ({ id }) => id,
        (event) => eventView(page, event),
      )}
    </ol>
    ${
      audit.pages.hasMore
        ? html`<div class="actions">
            ${button({
              label: "Show more",
              busyLabel: "Loading …",
              isBusy: audit.pages.loading.isBusy,
              onClick: () => void audit.loadMore(),
            })}
          </div>`
        : nothing
    }`;
}

/** @param {AdminPage} page */
function emptyView({ audit }) {
  return audit.isFiltered
    ? html`<div class="empty">
        <p><strong>Nothing happened that fits the filter</strong></p>
        <button type="button" @click=${() => audit.clearFilter()}>Show everything</button>
      </div>`
    : html`<div class="empty">
        <p><strong>Nothing has happened yet</strong></p>
      </div>`;
}

/**
 * @param {AdminPage} page
 * @param {AuditEvent} event
 */
function eventView(page, event) {
  const sentence = describeEvent(event).map((part) => partView(page, part));
  return html`<li class="event" id=${eventId(event.id)} tabindex="-1">
    <p class="sentence">${sentence}</p>
    <p class="when subtle">${moment(event.at)}</p>
    <details>
      <summary>Details<span class="visually-hidden"> of this event</span></summary>
      ${detailsView(page, event)}
    </details>
  </li>`;
}

/**
 * @param {AdminPage} page
 * @param {Part} part
 */
function partView({ names }, part) {
  if (typeof part === "string") return part;
  if ("code" in part) return html`<code>${part.code}</code>`;
  return "email" in part ? html`<bdi>${part.email}</bdi>` : accountView(names, part.accountId);
}

/**
 * @param {AdminPage} page
 * @param {AuditEvent} event
 */
function detailsView({ audit, names }, { action, actor: { type, accountId }, before, after, ip, reference }) {
  // A service that acts does so as somebody.
  const isDeed = type === "service";
  return html`<dl class="values">
      <div>
        <dt>Action</dt>
        <dd><code>${action}</code></dd>
      </div>
      ${
        accountId === null
          ? nothing
          : html`<div>
              <dt>${isDeed ? "Done as" : "Done by"}</dt>
              <dd>${accountView(names, accountId)}</dd>
            </div>`
      }
      <div>
        <dt>Address</dt>
        <dd>${ip ?? "Not known"}</dd>
      </div>
      <div>
        <dt>Reference</dt>
        <dd>${reference === null ? "None" : html`<code>${reference}</code>`}</dd>
      </div>
    </dl>
    ${valuesView("Before", before)} ${valuesView("After", after)}
    ${
      accountId === null
        ? nothing
        : html`<div class="actions">
            <button type="button" @click=${() => audit.showOnly(accountId)}>
              <span
                >Only what ${isDeed ? "was done as" : nothing}
                <bdi>${names.find(accountId) ?? accountId}</bdi> ${isDeed ? nothing : "did"}</span
              >
            </button>
          </div>`
    }`;
}

/**
 * @param {string} title
 * @param {unknown} values
 */
function valuesView(title, values) {
  if (values === null) return nothing;
  return html`<div class="snapshot">
    <p><strong>${title}</strong></p>
    <pre tabindex="0" aria-label=${title}>${JSON.stringify(values, null, 2)}</pre>
  </div>`;
}
