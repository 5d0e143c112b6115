import { adminProblem } from "./admin-parts.js";
import { focusOn, focusOnField } from "./form-parts.js";
import { sayCount } from "./say-count.js";
import { ADD_SERVICE_BUTTON, serviceView } from "./service-view.js";
import { needsConsent, isLinkService } from "./settings-draft.js";
import { serviceFieldId } from "./settings-errors.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AdminPage } from "./admin-page.js" */
/** @import { DraftService } from "./settings-draft.js" */

/** @param {AdminPage} page */
export function servicesView(page) {
  const { editor, overviews, product } = page;
  const { services } = editor.draft;
  const add = () => focusOn(serviceFieldId(editor.addService({ purposes: ["identify"] }), "label"));
  return html`${
      overviews.loading.error
        ? html`<p>How the services are used, and their keys, can’t be shown right now.</p>
            ${adminProblem(overviews.loading.error, { product, retry: () => void overviews.load() })}`
        : nothing
    }
    ${services.length === 0 ? html`<p class="empty">No services yet.</p>` : nothing}
    ${repeat(
      services,
      ({ key }) => key,
      (service) => (service.isRemoved ? removedView(page, service) : serviceView(page, service)),
    )} <button type="button" id=${ADD_SERVICE_BUTTON} @click=${add}>Add a service</button>`;
}

/**
 * @param {AdminPage} page
 * @param {DraftService} service
 */
function removedView(page, service) {
  const { key, label } = service;
  const restore = () => {
    page.editor.editService(key, { isRemoved: false });
    focusOnField(serviceFieldId(key, "label"));
  };
  return html`<div class="card removed">
    <p role="status"><strong>${label}</strong> will be removed when you save. ${sayLoss(page, service)}</p>
    <button type="button" id=${serviceFieldId(key, "restore")} @click=${restore}>
      Undo<span class="visually-hidden"> removing ${label}</span>
    </button>
  </div>`;
}

/**
 * What goes with the service.
 *
 * @param {AdminPage} page
 * @param {DraftService} service
 */
function sayLoss({ editor, overviews }, { id }) {
  const stored = editor.base.services.find((service) => service.id === id);
  if (stored && isLinkService(stored)) return "Nobody can link after that.";
  if (!stored || !needsConsent(stored)) return nothing;
  const overview = overviews.find(id);
  if (!overview) return "Whatever people agreed to for it goes with it.";
  const { consents, keys } = overview;
  const goes = [
    ...(consents > 0 ? [`the consent of ${sayCount(consents, "person", "people")}`] : []),
    ...(keys.length > 0 ? [keys.length === 1 ? "its key" : "its keys"] : []),
  ];
  if (goes.length === 0) return "Nobody has agreed to it, so no consent goes with it.";
  return `With it ${goes.length === 1 && keys.length < 2 ? "goes" : "go"} ${goes.join(" and ")}.`;
}
