import { accountView } from "./account-view.js";
import { ApiError } from "../errors.js";
import { createLinking } from "../linking/linking.js";
import { mount } from "./mount.js";

/** @import { Stage } from "../page.js" */
/** @import { Link, Me } from "../types.js" */

/**
 * @typedef {object} Unlinking The one link that is asked about.
 * @property {string} linkId
 * @property {boolean} isBusy
 * @property {unknown} error
 */

/**
 * @typedef {object} AccountState
 * @property {Me | null} me Null until it is known.
 * @property {unknown} error Why it isn't known.
 * @property {Unlinking | null} unlinking
 * @property {Link | null} unlinked What was unlinked just now.
 */

/** @typedef {ReturnType<typeof createActions>} AccountActions */

/** @param {Stage} stage */
export function runAccountPage({ root, api, product }) {
  const linking = createLinking(api, ({ phase, link }) => {
    page.update(phase === "done" && link ? addLink(page.state, link) : { unlinked: null });
  });
  const actions = createActions(() => page, api, root);
  /** @type {AccountState} */
  const initial = { me: null, error: null, unlinking: null, unlinked: null };
  const page = mount(root, initial, (state) => accountView(state, { actions, linking, product }));
  void actions.load();
}

/**
 * @param {() => { readonly state: AccountState, update(changes: Partial<AccountState>): void }} getPage
 * @param {Stage["api"]} api
 * @param {HTMLElement} root
 */
function createActions(getPage, api, root) {
  /** @param {Partial<AccountState>} changes */
  const update = (changes) => getPage().update(changes);

  async function load() {
    update({ error: null });
    try {
      update({ me: await api.getMe() });
    } catch (error) {
      update({ error });
    }
  }

  /** @param {string} linkId */
  function askToUnlink(linkId) {
    update({ unlinking: { linkId, isBusy: false, error: null }, unlinked: null });
    focus(`[data-unlink="${CSS.escape(linkId)}"] [data-keep]`);
  }

  function keepLink() {
    const { unlinking } = getPage().state;
    update({ unlinking: null });
    if (unlinking) focus(`[data-link="${CSS.escape(unlinking.linkId)}"] button`);
  }

  /** @param {Link} link */
  async function unlink(link) {
    update({ unlinking: { linkId: link.id, isBusy: true, error: null } });
    try {
      await api.unlinkMe(link.id);
      forget(link);
    } catch (error) {
      // Somebody else, or another window, was faster.
      if (error instanceof ApiError && error.problem.code === "not_found") {
        forget(link);
        return;
      }
      update({ unlinking: { linkId: link.id, isBusy: false, error } });
    }
  }

  /** @param {Link} link */
  function forget(link) {
    update({ ...removeLink(getPage().state, link), unlinking: null, unlinked: link });
    focus("[data-unlinked]");
  }

  /** @param {string} selector */
  function focus(selector) {
    /** @type {HTMLElement | null} */ (root.querySelector(selector))?.focus();
  }

  return { load, askToUnlink, keepLink, unlink };
}

/**
 * @param {AccountState} state
 * @param {Link} link
 * @returns {Partial<AccountState>}
 */
function addLink({ me }, link) {
  if (!me) return {};
  const others = me.links.filter(({ id }) => id !== link.id);
  return { me: { ...me, links: [...others, link] }, unlinked: null };
}

/**
 * @param {AccountState} state
 * @param {Link} link
 * @returns {Partial<AccountState>}
 */
function removeLink({ me }, link) {
  return me ? { me: { ...me, links: me.links.filter(({ id }) => id !== link.id) } } : {};
}
