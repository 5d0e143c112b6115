import { adminProblem, note } from "./admin-parts.js";
import { NOT_NOW_BUTTON, TAKE_OVER_BUTTON } from "./predecessor-card.js";
import { button, moment, nameProduct } from "../parts.js";
import { sayCount } from "./say-count.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AdminPage } from "./admin-page.js" */
/** @import { Predecessor } from "../types.js" */

/**
 * Where the app is still in use as it was installed before: what taking over means.
 *
 * @param {AdminPage} page
 */
export function predecessorView(page) {
  const { predecessor, product } = page;
  const { found, looking, taking } = predecessor;
  if (taking.result) return doneView(page);
  if (looking.error) return adminProblem(looking.error, { product, retry: () => void predecessor.look() });
  if (!found || !page.isReady) return nothing;
  return html`<section class="card predecessor">
    <h2>Take over from the Connect app</h2>
    <p>
      This app is installed in ${nameProduct(product)} twice: as a Connect
      app${found.installedAt ? html`, since ${moment(found.installedAt)},` : nothing} and as this one.
      Services still go by what the Connect app has, and nobody can link here until you take that over.
    </p>
    ${heritageView(found)}
    ${taking.error ? adminProblem(taking.error, { product, retry: () => lookAgain(page) }) : nothing}
    ${
      predecessor.isAsking
        ? questionView(page)
        : html`<div class="actions">
            ${button({ id: TAKE_OVER_BUTTON, label: "Take over", kind: "primary", onClick: () => predecessor.ask() })}
          </div>`
    }
  </section>`;
}

/**
 * With what there is now: an admin may have saved something meanwhile, or taken over.
 *
 * @param {AdminPage} page
 */
function lookAgain(page) {
  page.predecessor.leave();
  void page.load();
}

/** @param {Predecessor} found */
function heritageView({ services, links }) {
  return html`<p>
      What comes over: ${sayCount(services ?? 0, "service", "services")} with limits and keys,
      ${sayCount(links ?? 0, "link", "links")}, all that people agreed to, and the audit log. Services go on
      as before, and nobody has to link or agree again.
    </p>
    <p>
      The Connect app stays installed until an admin removes it, but it does nothing any more. Removing it
      takes nothing away.
    </p>`;
}

/** @param {AdminPage} page */
function questionView({ predecessor, editor }) {
  const isFresh = editor.base.version === 0;
  return html`<div class="question">
    <p>
      This can’t be undone.
      ${isFresh ? "What you have entered here is dropped." : "What was saved or entered here is dropped."}
    </p>
    <div class="actions">
      ${button({
        label: "Take over now",
        busyLabel: "Taking over …",
        kind: "danger",
        isBusy: predecessor.taking.isBusy,
        onClick: () => void predecessor.takeOver(editor.base.version),
      })}
      <button type="button" id=${NOT_NOW_BUTTON} @click=${() => predecessor.leave()}>Not now</button>
    </div>
  </div>`;
}

/** @param {AdminPage} page */
function doneView({ product }) {
  return html`<div role="status">
    ${note(
      "success",
      html`All of it is here now. The Connect app does nothing any more: remove it among the apps of
      ${nameProduct(product)} when you like.`,
    )}
  </div>`;
}
