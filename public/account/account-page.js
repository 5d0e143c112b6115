import { createActivityActions, NO_ACTIVITY } from "./activity-actions.js";
import { accountView } from "./account-view.js";
import { findArrival, showArrival } from "./arrival.js";
import { createLinkActions } from "./link-actions.js";
import { createLinking } from "../linking/linking.js";
import { mount } from "./mount.js";
import { createServiceActions } from "./service-actions.js";

/** @import { Activity } from "./activity-actions.js" */
/** @import { Arrival } from "./arrival.js" */
/** @import { LinkWork } from "./link-actions.js" */
/** @import { Mounted } from "./mount.js" */
/** @import { Deciding } from "./service-actions.js" */
/** @import { Stage } from "../page.js" */
/** @import { Link, Me, News } from "../types.js" */

/**
 * @typedef {object} AccountState
 * @property {Me | null} me Null until it is known.
 * @property {unknown} error Why it isn't known.
 * @property {readonly News[]} news Told as long as the page stays open.
 * @property {Arrival | null} arrival What the address of the page asked to be shown.
 * @property {LinkWork | null} linkWork
 * @property {Link | null} unlinked What was unlinked just now.
 * @property {Deciding | null} deciding
 * @property {Activity} activity
 */

/** @typedef {ReturnType<typeof createActions>} AccountActions */

/** @type {AccountState} */
const INITIAL = {
  me: null,
  error: null,
  news: [],
  arrival: null,
  linkWork: null,
  unlinked: null,
  deciding: null,
  activity: NO_ACTIVITY,
};

/** @param {Stage} stage */
export function runAccountPage({ root, api, host, product }) {
  const linking = createLinking(api, host, ({ phase, link }) => {
    page.update(phase === "done" && link ? addLink(page.state, link) : { unlinked: null });
    if (phase === "done" && link) void actions.tellNewsBeside(link);
  });
  const actions = createActions(() => page, { root, api, host });
  const page = mount(root, INITIAL, (state) => accountView(state, { actions, linking, product }));
  void actions.load();
}

/**
 * @param {() => Mounted<AccountState>} getPage
 * @param {Pick<Stage, "root" | "api" | "host">} stage
 */
function createActions(getPage, { root, api, host }) {
  /** @param {string} selector */
  const focus = (selector) => /** @type {HTMLElement | null} */ (root.querySelector(selector))?.focus();
  const activity = createActivityActions(getPage, { api, focus });

  async function load() {
    getPage().update({ error: null });
    void activity.load();
    try {
      const [me, query] = await Promise.all([api.getMe(), host.findQuery()]);
      getPage().update({ me, news: me.news, arrival: findArrival(query, me) });
      showArrival(root);
      await markSeen(me);
    } catch (error) {
      getPage().update({ error });
    }
  }

  /** What is the same as before keeps its place, and whoever reads it theirs. */
  async function refresh() {
    getPage().update({ me: await api.getMe() });
  }

  /**
   * What happened while somebody linked. That link is no news: the page says so itself.
   *
   * @param {Link} link
   */
  async function tellNewsBeside(link) {
    const me = await api.getMe().catch(() => null);
    if (!me) return;
    const found = me.news.filter((item) => item.type !== "linked" || item.linkId !== link.id);
    const told = getPage().state.news.filter((item) => me.news.every(({ at }) => at !== item.at));
    getPage().update({ news: [...found, ...told] });
    await markSeen(me);
  }

  /**
   * What couldn't be marked is told again the next time: what came since `me` was read stays news. Never throws.
   *
   * @param {Me} me
   */
  async function markSeen({ news: [latest] }) {
    if (latest) await api.markNewsSeen(latest.at).catch(() => undefined);
  }

  return {
    load,
    tellNewsBeside,
    ...createLinkActions(getPage, { api, focus, refresh }),
    ...createServiceActions(getPage, { api, focus, refresh }),
    activity,
  };
}

/**
 * @param {AccountState} state
 * @param {Link} link
 * @returns {Partial<AccountState>}
 */
function addLink({ me }, link) {
  if (!me) return {};
  const isKnown = me.links.some(({ id }) => id === link.id);
  const links = isKnown ? me.links.map((each) => (each.id === link.id ? link : each)) : [...me.links, link];
  return { me: { ...me, links }, unlinked: null };
}
