import { nameProduct } from "../parts.js";
import { note } from "./admin-parts.js";
import { linkingView } from "../linking/linking-view.js";
import { popupCheckView } from "./popup-check-view.js";
import { isComplete } from "./settings-draft.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AdminPage } from "./admin-page.js" */

/** Comes in place of the button that linked. */
export const OWN_ACCOUNT = "own-account";

/**
 * From outside, and then all the way with the admin's own account.
 *
 * @param {AdminPage} page
 */
export function tryItView(page) {
  return html`${popupCheckView(page)} ${ownAccountView(page)}`;
}

/** @param {AdminPage} page */
function ownAccountView({ linking, me, editor, product, firstRun }) {
  // Whatever stands at the linking window, there is nothing to link through.
  if (!isComplete(editor.base)) return nothing;
  if (me.result === null && me.error === null) return nothing;
  const { phase, link } = linking.state;
  const own =
    phase === "done"
      ? link
      : me.result?.links.find(({ issuer }) => issuer === `https://${editor.base.teamDomain}`);
  if (own) {
    return html`<div id=${OWN_ACCOUNT} tabindex="-1" role="status">
      ${note(
        "success",
        html`Your own account is linked with <strong>${own.email}</strong>, so linking works.`,
      )}
    </div>`;
  }
  if (editor.isPaused) return nothing;
  return html`<p class="lead">Link your own account: that goes through everything that your people will.</p>
    ${linkingView(linking, {
      product: nameProduct(product),
      label: "Link my own account",
      isPrimary: firstRun !== null,
    })}`;
}
