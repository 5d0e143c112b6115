/** @import { AccountState } from "./account-page.js" */
/** @import { Mounted } from "./mount.js" */
/** @import { Api } from "../api.js" */
/** @import { Deed } from "../types.js" */

const FIRST = 10;
const MORE = 50;

/**
 * @typedef {object} Activity What was done in somebody's name, newest first.
 * @property {readonly Deed[]} deeds
 * @property {string | null} nextCursor
 * @property {boolean} isLoaded
 * @property {boolean} isBusy
 * @property {unknown} error
 */

/** @type {Activity} */
export const NO_ACTIVITY = { deeds: [], nextCursor: null, isLoaded: false, isBusy: false, error: null };

/**
 * @param {() => Mounted<AccountState>} getPage
 * @param {{ api: Pick<Api, "listMyActivity">, focus: (selector: string) => void }} parts
 */
export function createActivityActions(getPage, { api, focus }) {
  /** @param {Partial<Activity>} changes */
  function update(changes) {
    getPage().update({ activity: { ...getPage().state.activity, ...changes } });
  }

  /**
   * @param {{ limit: number, cursor: string | null }} query
   * @returns {Promise<boolean>} Whether it came.
   */
  async function fetchPage(query) {
    update({ isBusy: true, error: null });
    try {
      const { items, nextCursor } = await api.listMyActivity(query);
      const before = query.cursor === null ? [] : getPage().state.activity.deeds;
      update({ deeds: [...before, ...items], nextCursor, isLoaded: true, isBusy: false });
      return true;
    } catch (error) {
      update({ isBusy: false, error });
      return false;
    }
  }

  /** Never throws. */
  async function load() {
    await fetchPage({ limit: FIRST, cursor: null });
  }

  async function loadMore() {
    const { deeds, nextCursor } = getPage().state.activity;
    if (await fetchPage({ limit: MORE, cursor: nextCursor })) focus(`[data-deed="${deeds.length}"]`);
  }

  return { load, loadMore };
}
