import { focusOn } from "./form-parts.js";
import { Task } from "./task.js";

/** @import { AccountNames } from "./account-names.js" */
/** @import { Api } from "../api.js" */
/** @import { Link, PageOf } from "../types.js" */

/**
 * @typedef {object} LinkRow
 * @property {Link} link
 * @property {"linked" | "asking" | "unlinked"} phase
 * @property {boolean} isBusy
 * @property {unknown} error
 */

const SEARCH_PAUSE_MS = 300;

/** The links of the tenant: searched, page by page, each with what is being done to it. */
export class LinkList {
  query = "";
  /** The query that the rows answer. */
  answered = "";
  /** @type {readonly LinkRow[]} */
  rows = [];
  isLoaded = false;
  /** What was done last, for those who hear the page. */
  said = "";
  /** @type {Task<PageOf<Link>>} */
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

  /** Looks afresh: links come and go while the page is open. */
  show() {
    void this.load();
  }

  /** @param {string} query */
  search(query) {
    this.query = query;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(), SEARCH_PAUSE_MS);
    this.#onChange();
  }

  async load() {
    clearTimeout(this.#timer);
    this.said = "";
    const query = this.query.trim();
    await this.#fetch(query, null, (rows) => {
      this.rows = query === this.answered ? [...this.#listUndoable(rows), ...rows] : rows;
      this.answered = query;
      this.isLoaded = true;
    });
  }

  /**
   * What was unlinked here stays in sight, to be undone.
   *
   * @param {readonly LinkRow[]} rows
   */
  #listUndoable(rows) {
    const linked = new Set(rows.map(({ link }) => link.id));
    return this.rows.filter(({ link, phase }) => phase === "unlinked" && !linked.has(link.id));
  }

  async loadMore() {
    const count = this.rows.length;
    await this.#fetch(this.answered, this.#nextCursor, (rows) => {
      const known = new Set(this.rows.map(({ link }) => link.id));
      this.rows = [...this.rows, ...rows.filter(({ link }) => !known.has(link.id))];
    });
    const first = this.rows[count];
    if (first) focusOn(unlinkButtonId(first.link.id));
  }

  /**
   * @param {string} query
   * @param {string | null} cursor
   * @param {(rows: readonly LinkRow[]) => void} take
   */
  async #fetch(query, cursor, take) {
    const isDone = await this.loading.run(async () => {
      const page = await this.#api.listLinks({ query, cursor });
      await this.#names.load(page.items.map(({ accountId }) => accountId));
      return page;
    });
    const page = this.loading.result;
    if (!isDone || !page) return;
    this.#nextCursor = page.nextCursor;
    take(page.items.map((link) => ({ link, phase: "linked", isBusy: false, error: null })));
    this.#onChange();
  }

  /** @param {string} id */
  ask(id) {
    this.#change(id, { phase: "asking", error: null });
    focusOn(confirmButtonId(id));
  }

  /** @param {string} id */
  keep(id) {
    this.#change(id, { phase: "linked", error: null });
    focusOn(unlinkButtonId(id));
  }

  /** @param {LinkRow} row */
  async unlink({ link }) {
    const { id, email } = link;
    if (!(await this.#work(id, () => this.#api.removeLink(id)))) return;
    this.said = `Unlinked ${email}.`;
    this.#change(id, { phase: "unlinked" });
    focusOn(undoButtonId(id));
  }

  /** @param {LinkRow} row */
  async undo({ link }) {
    const { id, email } = link;
    if (!(await this.#work(id, () => this.#api.restoreLink(id)))) return;
    this.said = `${email} is linked again.`;
    this.#change(id, { phase: "linked" });
    focusOn(unlinkButtonId(id));
  }

  /**
   * @param {string} id
   * @param {() => Promise<unknown>} work
   */
  async #work(id, work) {
    this.#change(id, { isBusy: true, error: null });
    try {
      await work();
      this.#change(id, { isBusy: false });
      return true;
    } catch (error) {
      this.#change(id, { isBusy: false, error });
      return false;
    }
  }

  /**
   * @param {string} id
   * @param {Partial<LinkRow>} changes
   */
  #change(id, changes) {
    this.rows = this.rows.map((row) => (row.link.id === id ? { ...row, ...changes } : row));
    this.#onChange();
  }
}

/** @param {string} id */
export function unlinkButtonId(id) {
  return `unlink-${id}`;
}

/** @param {string} id */
export function confirmButtonId(id) {
  return `confirm-${id}`;
}

/** @param {string} id */
export function undoButtonId(id) {
  return `undo-${id}`;
}
