import { nameProduct, note } from "./admin-parts.js";
import { linkingView } from "../linking/linking-view.js";
import { popupCheckView } from "./popup-check-view.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AdminPage } from "./admin-page.js" */

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
  if (me.result === null && me.error === null) return nothing;
  const { links } = me.result ?? { links: [] };
  const own = links.find(({ issuer }) => issuer === `https://${editor.base.teamDomain}`);
  if (own && linking.state.phase !== "done") {
    return note(
      "success",
      html`Your own account is linked with <strong>${own.email}</strong>, so linking works.`,
    );
  }
  if (editor.isPaused) return nothing;
  return html`<p class="lead">Link your own account: that goes through everything that your people will.</p>
    ${linkingView(linking, {
      product: nameProduct(product),
      label: "Link my own account",
      isPrimary: firstRun !== null,
    })}`;
}
