import { ApiError } from "../errors.js";

/** @import { AccountState } from "./account-page.js" */
/** @import { Mounted } from "./mount.js" */
/** @import { Api } from "../api.js" */
/** @import { Link } from "../types.js" */

/**
 * @typedef {object} LinkWork What is being done to one link: its owner is asked whether to remove it, or confirms it.
 * @property {string} linkId
 * @property {"unlink" | "confirm"} kind
 * @property {boolean} isBusy
 * @property {unknown} error
 */

/**
 * @param {() => Mounted<AccountState>} getPage
 * @param {{ api: Pick<Api, "unlinkMe" | "confirmLink">, focus: (selector: string) => void, refresh: () => Promise<void> }} parts
 */
export function createLinkActions(getPage, { api, focus, refresh }) {
  /** @param {Partial<AccountState>} changes */
  const update = (changes) => getPage().update(changes);

  /** @param {string} linkId */
  function askToUnlink(linkId) {
    update({ linkWork: { linkId, kind: "unlink", isBusy: false, error: null }, unlinked: null });
    focus(`[data-unlink="${CSS.escape(linkId)}"] [data-keep]`);
  }

  function keepLink() {
    const { linkWork } = getPage().state;
    update({ linkWork: null });
    if (linkWork) focus(`[data-link="${CSS.escape(linkWork.linkId)}"] [data-ask-to-unlink]`);
  }

  /** @param {Link} link */
  async function unlink(link) {
    update({ linkWork: { linkId: link.id, kind: "unlink", isBusy: true, error: null } });
    try {
      await api.unlinkMe(link.id);
      forget(link);
    } catch (error) {
      // Somebody else, or another window, was faster.
      if (isProblem(error, "not_found")) forget(link);
      else update({ linkWork: { linkId: link.id, kind: "unlink", isBusy: false, error } });
    }
  }

  /**
   * To what is shown: an admin may be changing it.
   *
   * @param {Link} link
   */
  async function confirmLink(link) {
    update({ linkWork: { linkId: link.id, kind: "confirm", isBusy: true, error: null }, unlinked: null });
    try {
      replaceLink(await api.confirmLink(link.id, link.email));
      update({ linkWork: null });
      focus(`[data-link="${CSS.escape(link.id)}"] [data-heading]`);
    } catch (error) {
      if (isProblem(error, "consent_changed") || isProblem(error, "not_found")) {
        await refresh().catch(() => undefined);
      }
      update({ linkWork: { linkId: link.id, kind: "confirm", isBusy: false, error } });
    }
  }

  /** @param {Link} link */
  function replaceLink(link) {
    const { me } = getPage().state;
    if (me) update({ me: { ...me, links: me.links.map((each) => (each.id === link.id ? link : each)) } });
  }

  /** @param {Link} link */
  function forget(link) {
    const { me } = getPage().state;
    const rest = me && { ...me, links: me.links.filter(({ id }) => id !== link.id) };
    update({ me: rest, linkWork: null, unlinked: link });
    focus("[data-unlinked]");
  }

  return { askToUnlink, keepLink, unlink, confirmLink };
}

/**
 * @param {unknown} error
 * @param {import("../types.js").ProblemCode} code
 */
function isProblem(error, code) {
  return error instanceof ApiError && error.problem.code === code;
}
