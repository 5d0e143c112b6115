import { listAccounts } from "./audit-sentence.js";
import { focusOn } from "./form-parts.js";
import { Task } from "./task.js";

/** @import { AccountNames } from "./account-names.js" */
/** @import { Api } from "../api.js" */
/** @import { AuditEvent, PageOf } from "../types.js" */

/**
 * @typedef {object} AuditFilter
 * @property {string} action
 * @property {"" | "user" | "host" | "service" | "system" | "account"} actorType
 * @property {string} accountId Counts for the type `account`.
 * @property {string} firstDay As in a date input, in the reader's time zone.
 * @property {string} lastDay Inclusive.
 */

/** @type {AuditFilter} */
const EVERYTHING = { action: "", actorType: "", accountId: "", firstDay: "", lastDay: "" };
const TYPING_PAUSE_MS = 300;

/** The audit log, newest first: filtered, page by page. */
export class AuditList {
  filter = EVERYTHING;
  /** @type {readonly AuditEvent[]} */
  events = [];
  isLoaded = false;
  /** @type {Task<PageOf<AuditEvent>>} */
  loading;
  /** @type {string | null} */
  #nextCursor = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #api;
  #names;
  #onChange;

  /** @param {{ api: Api, names: AccountNames, onChange: () => void }} parts */
  constructor({ api, names, onChange }) {
    this.#api = api;
    this.#names = names;
    this.#onChange = onChange;
    this.loading = new Task(onChange);
  }

  get hasMore() {
    return this.#nextCursor !== null;
  }

  get isFiltered() {
    return Object.values(this.filter).some((value) => value !== "");
  }

  show() {
    void this.load();
  }

  /** @param {Partial<AuditFilter>} changes */
  narrow(changes) {
    this.filter = { ...this.filter, ...changes };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(), TYPING_PAUSE_MS);
    this.#onChange();
  }

  /** @param {string} accountId */
  showOnly(accountId) {
    this.narrow({ actorType: "account", accountId });
    focusOn("audit-heading");
  }

  clearFilter() {
    this.narrow(EVERYTHING);
    focusOn("audit-action");
  }

  async load() {
    clearTimeout(this.#timer);
    await this.#fetch(null, (events) => {
      this.events = events;
      this.isLoaded = true;
    });
  }

  async loadMore() {
    const count = this.events.length;
    await this.#fetch(this.#nextCursor, (events) => {
      this.events = [...this.events, ...events];
    });
    const first = this.events[count];
    if (first) focusOn(eventId(first.id));
  }

  /**
   * @param {string | null} cursor
   * @param {(events: readonly AuditEvent[]) => void} take
   */
  async #fetch(cursor, take) {
    const isDone = await this.loading.run(async () => {
      const page = await this.#api.listAudit({ ...toQuery(this.filter), cursor });
      await this.#names.load(page.items.flatMap(listAccounts));
      return page;
    });
    const page = this.loading.result;
    if (!isDone || !page) return;
    this.#nextCursor = page.nextCursor;
    take(page.items);
    this.#onChange();
  }
}

/** @param {string} id */
export function eventId(id) {
  return `event-${id}`;
}

/** @param {AuditFilter} filter */
function toQuery({ action, actorType, accountId, firstDay, lastDay }) {
  return {
    action,
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
  date.setDate(date.getDate() + daysLater);
  return date.toISOString();
}
