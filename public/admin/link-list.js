import { focusOn } from "./form-parts.js";
import { PagedList } from "./paged-list.js";

/** @import { AccountNames } from "./account-names.js" */
/** @import { Api } from "../api.js" */
/** @import { Link } from "../types.js" */

/**
 * @typedef {object} LinkRow
 * @property {Link} link
 * @property {"linked" | "asking" | "unlinked"} phase
 * @property {boolean} isBusy
 * @property {unknown} error
 */

/** The links of the tenant: searched, page by page, each with what is being done to it. */
export class LinkList {
  query = "";
  /** The query that the rows answer. */
  answered = "";
  /** @type {readonly LinkRow[]} */
  rows = [];
  /** What was done last, for those who hear the page. */
  said = "";
  /** @type {PagedList<Link>} */
  pages;
  #api;
  #onChange;

  /** @param {{ api: Api, names: AccountNames, onChange: () => void }} parts */
  constructor({ api, names, onChange }) {
    this.#api = api;
    this.#onChange = onChange;
    this.pages = new PagedList({ names, listAccounts: ({ accountId }) => [accountId], onChange });
  }

  /** Looks afresh: links come and go while the page is open. */
  show() {
    void this.load();
  }

  /** @param {string} query */
  search(query) {
    this.query = query;
    this.pages.loadSoon(() => void this.load());
    this.#onChange();
  }

  async load() {
    this.said = "";
    const query = this.query.trim();
    const links = await this.pages.load((cursor) => this.#api.listLinks({ query, cursor }));
    if (!links) return;
    const rows = links.map(createRow);
    this.rows = query === this.answered ? [...this.#listUndoable(rows), ...rows] : rows;
    this.answered = query;
    this.#onChange();
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
    const links = await this.pages.loadMore();
    if (!links) return;
    // Links come and go meanwhile: what moved on to the next page is here already.
    const known = new Set(this.rows.map(({ link }) => link.id));
    const rows = links.map(createRow).filter(({ link }) => !known.has(link.id));
    this.rows = [...this.rows, ...rows];
    this.#onChange();
    const [first] = rows;
    if (first) focusOn(unlinkButtonId(first.link.id));
  }

  /** @param {string} id */
  ask(id) {
    this.#change(id, { phase: "asking", error: null });
    focusOn(keepButtonId(id));
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

/**
 * @param {Link} link
 * @returns {LinkRow}
 */
function createRow(link) {
  return { link, phase: "linked", isBusy: false, error: null };
}

/** @param {string} id */
export function unlinkButtonId(id) {
  return `unlink-${id}`;
}

/** @param {string} id */
export function keepButtonId(id) {
  return `keep-${id}`;
}

/** @param {string} id */
export function undoButtonId(id) {
  return `undo-${id}`;
}
