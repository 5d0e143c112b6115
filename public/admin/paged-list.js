import { Task } from "./task.js";

/** @import { AccountNames } from "./account-names.js" */
/** @import { PageOf } from "../types.js" */

const TYPING_PAUSE_MS = 300;

/**
 * A list that comes page by page, each with the names of the people in it.
 *
 * @template Item
 */
export class PagedList {
  isLoaded = false;
  /** @type {Task<PageOf<Item>>} */
  loading;
  /** @type {string | null} */
  #nextCursor = null;
  /** @type {(cursor: string | null) => Promise<PageOf<Item>>} What was asked for the pages that are here. */
  #ask = () => Promise.resolve({ items: [], nextCursor: null });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #names;
  #listAccounts;

  /** @param {{ names: AccountNames, listAccounts: (item: Item) => readonly string[], onChange: () => void }} parts */
  constructor({ names, listAccounts, onChange }) {
    this.#names = names;
    this.#listAccounts = listAccounts;
    this.loading = new Task(onChange);
  }

  get hasMore() {
    return this.#nextCursor !== null;
  }

  /**
   * Once nobody types any more.
   *
   * @param {() => void} load
   */
  loadSoon(load) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(load, TYPING_PAUSE_MS);
  }

  /**
   * The first page; null when none came, or when something else was asked meanwhile.
   *
   * @param {(cursor: string | null) => Promise<PageOf<Item>>} ask
   */
  async load(ask) {
    clearTimeout(this.#timer);
    const items = await this.#fetch(ask, null);
    if (!items) return null;
    this.#ask = ask;
    this.isLoaded = true;
    return items;
  }

  /** The next page of the same answer; null as above. */
  async loadMore() {
    return this.#fetch(this.#ask, this.#nextCursor);
  }

  /**
   * @param {(cursor: string | null) => Promise<PageOf<Item>>} ask
   * @param {string | null} cursor
   */
  async #fetch(ask, cursor) {
    const isDone = await this.loading.run(async () => {
      const page = await ask(cursor);
      await this.#names.load(page.items.flatMap(this.#listAccounts));
      return page;
    });
    const page = this.loading.result;
    if (!isDone || !page) return null;
    this.#nextCursor = page.nextCursor;
    return page.items;
  }
}
