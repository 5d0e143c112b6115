import { listAccounts } from "./audit-sentence.js";
import { focusOn } from "./form-parts.js";
import { PagedList } from "./paged-list.js";

/** @import { AccountNames } from "./account-names.js" */
/** @import { Api } from "../api.js" */
/** @import { AuditAction, AuditEvent, AuditKind } from "../types.js" */

/**
 * @typedef {object} AuditFilter
 * @property {AuditKind | AuditAction | ""} what
 * @property {"" | "user" | "host" | "system" | "account"} actorType
 * @property {string} accountId Counts for the type `account`.
 * @property {string} firstDay As in a date input, in the reader's time zone.
 * @property {string} lastDay Inclusive.
 */

/** @type {AuditFilter} */
const EVERYTHING = { what: "", actorType: "", accountId: "", firstDay: "", lastDay: "" };

/**
 * What services do would bury what people change.
 *
 * @type {AuditFilter}
 */
const CHANGES = { ...EVERYTHING, what: "changes" };

/** The audit log, newest first: filtered, page by page. */
export class AuditList {
  filter = CHANGES;
  /** @type {readonly AuditEvent[]} */
  events = [];
  /** @type {PagedList<AuditEvent>} */
  pages;
  #api;
  #onChange;

  /** @param {{ api: Api, names: AccountNames, onChange: () => void }} parts */
  constructor({ api, names, onChange }) {
    this.#api = api;
    this.#onChange = onChange;
    this.pages = new PagedList({ names, listAccounts, onChange });
  }

  get isFiltered() {
    return Object.values(toQuery(this.filter)).some((value) => value !== "");
  }

  show() {
    void this.load();
  }

  /** @param {Partial<AuditFilter>} changes */
  narrow(changes) {
    this.filter = { ...this.filter, ...changes };
    this.pages.loadSoon(() => void this.load());
    this.#onChange();
  }

  /** @param {string} accountId */
  showOnly(accountId) {
    this.narrow({ actorType: "account", accountId });
    focusOn("audit-heading");
  }

  clearFilter() {
    this.narrow(EVERYTHING);
    focusOn("audit-what");
  }

  async load() {
    const query = toQuery(this.filter);
    const events = await this.pages.load((cursor) => this.#api.listAudit({ ...query, cursor }));
    if (!events) return;
    this.events = events;
    this.#onChange();
  }

  async loadMore() {
    const events = await this.pages.loadMore();
    if (!events) return;
    this.events = [...this.events, ...events];
    this.#onChange();
    const [first] = events;
    if (first) focusOn(eventId(first.id));
  }
}

/** @param {string} id */
export function eventId(id) {
  return `event-${id}`;
}

/** @param {AuditFilter} filter */
function toQuery({ what, actorType, accountId, firstDay, lastDay }) {
  return {
    ...(what === "changes" || what === "use" ? { kind: what } : { action: what }),
    actor: actorType === "account" ? accountId.trim() : actorType,
    from: startOfDay(firstDay, 0),
    to: startOfDay(lastDay, 1),
  };
}

/**
 * @param {string} day
 * @param {number} daysLater
 */
function startOfDay(day, daysLater) {
  if (day === "") return "";
  // Without a zone, the start of the day where the reader is.
  const date = new Date(`${day}T00:00:00`);
  // A year of five digits can be typed, but is none.
  if (Number.isNaN(date.getTime())) return "";
  date.setDate(date.getDate() + daysLater);
  return date.toISOString();
}
