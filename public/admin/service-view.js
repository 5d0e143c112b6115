import { adminProblem, note } from "./admin-parts.js";
import { focusOn, textField } from "./form-parts.js";
import { isSame } from "./is-same.js";
import { limitsView } from "./limits-view.js";
import { toRequests } from "./limits-draft.js";
import { button, nameProduct } from "../parts.js";
import { audienceHint } from "./protected-path-view.js";
import { purposesView, sayPurposes } from "./purposes-view.js";
import { isSameRequests } from "../request-presets.js";
import { sayCount } from "./say-count.js";
import { serviceKeysView } from "./service-keys-view.js";
import { isUnused, sayUse, serviceUseView } from "./service-use-view.js";
import { isActingService, needsConsent } from "./settings-draft.js";
import { serviceFieldId } from "./settings-errors.js";
import { splitLines } from "./typed-lines.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AdminPage } from "./admin-page.js" */
/** @import { DraftService } from "./settings-draft.js" */
/** @import { ServiceUse, Settings } from "../types.js" */

export const ADD_SERVICE_BUTTON = "add-service";

/**
 * @param {AdminPage} page
 * @param {DraftService} service
 */
export function serviceView(page, service) {
  const { editor, product } = page;
  const { key, id } = service;
  /** @param {string} field */
  const idOf = (field) => serviceFieldId(key, field);
  const stored = editor.base.services.find((each) => each.id === id);
  const typed = service.label.trim();
  const name = typed === "" ? (stored?.label ?? "New service") : typed;
  const form = html`${
    editor.isServicePaused(id)
      ? note("warning", html`<strong>Paused.</strong> Every call of this service is refused.`)
      : nothing
  }
  ${textField({
    id: idOf("label"),
    label: "Name",
    value: service.label,
    error: editor.findError(idOf("label")),
    onInput: (label) => editor.editService(key, { label }),
  })}
  ${textField({
    id: idOf("audience"),
    label: "AUD tag of its Access application",
    value: service.audience,
    isCode: true,
    error: editor.findError(idOf("audience")),
    hint: id === null ? audienceHint() : undefined,
    onInput: (audience) => editor.editService(key, { audience }),
  })}
  ${purposesView(editor, service, product)}
  ${needsConsent(service) ? limitsView(editor, service, { name, product }) : nothing}
  ${isActingService(service) ? holderView(page, service) : nothing} ${askedAgainView(page, service)}
  ${id !== null && isCalled(page, id) ? html`${serviceKeysView(page, id, name)} ${serviceUseView(page, id, name)}` : nothing}
  ${actionsView(page, service, name)}`;
  return html`<fieldset class="card service">
    <legend class="visually-hidden">${name}</legend>
    ${editor.isCompact && stored ? foldedView(page, stored, { name, form }) : form}
  </fieldset>`;
}

/**
 * A service among many: what it is for, and what goes on, until somebody opens it.
 *
 * @param {AdminPage} page
 * @param {Settings["services"][number]} stored
 * @param {{ name: string, form: unknown }} parts
 */
function foldedView(page, { id, purposes }, { name, form }) {
  const { editor, overviews } = page;
  const use = overviews.find(id)?.use;
  return html`<details class="whole">
    <summary>
      <strong>${name}</strong> <span class="subtle">${sayPurposes(purposes)}</span>
      ${editor.isServicePaused(id) ? html`<span class="lozenge warning">Paused</span>` : nothing}
      ${isCalled(page, id) ? html`<small class="in-short">${use ? sayUseAlone(use) : nothing}</small>` : nothing}
    </summary>
    <div class="service-body">${form}</div>
  </details>`;
}

/** @param {ServiceUse} use */
function sayUseAlone(use) {
  return isUnused(use) ? `Not used in the last ${use.days} days` : sayUse(use);
}

/**
 * A service that people only link through makes no calls.
 *
 * @param {AdminPage} page
 * @param {string} serviceId
 */
function isCalled({ editor, overviews }, serviceId) {
  const stored = editor.base.services.find(({ id }) => id === serviceId);
  const isLinkOnly = stored?.purposes.every((purpose) => purpose === "link") ?? false;
  return !isLinkOnly || (overviews.find(serviceId)?.keys.length ?? 0) > 0;
}

/**
 * Security rule 17: what a token says, and what it doesn't.
 *
 * @param {AdminPage} page
 * @param {DraftService} service
 */
function holderView({ overviews, product }, { id, limits }) {
  const isChecked = (overviews.find(id)?.keys.length ?? 0) > 0 || splitLines(limits.ipAddresses).length > 0;
  if (isChecked) return nothing;
  return note(
    "warning",
    html`<strong>A token proves the person, not the service.</strong> Without a service key or a list of
      addresses, anybody who gets hold of a person’s token may use it to act in ${nameProduct(product)} as
      that person, within these
      limits.${id === null ? " You can create a key once the service is saved." : ""}`,
  );
}

/**
 * Security rule 14: consent is to what was shown.
 *
 * @param {AdminPage} page
 * @param {DraftService} service
 */
function askedAgainView({ editor, overviews }, { id, audience, purposes, limits }) {
  const stored = editor.base.services.find((service) => service.id === id);
  const consents = overviews.find(id)?.consents ?? 0;
  const isAsked =
    stored && needsConsent(stored) && needsConsent({ purposes }) && limits.consent === "required";
  if (!isAsked || consents === 0) return nothing;
  const isAsBefore =
    stored.audience === audience.trim().toLowerCase() &&
    isSame(stored.purposes, purposes) &&
    isSameRequests(stored.limits?.requests ?? [], toRequests(limits));
  if (isAsBefore) return nothing;
  return note(
    "info",
    `${sayCount(consents, "person has", "people have")} agreed to what it may do now. Once you save, it acts for them again only after they agree to what you changed.`,
  );
}

/**
 * @param {AdminPage} page
 * @param {DraftService} service
 * @param {string} name
 */
function actionsView({ editor, product }, service, name) {
  const { key, id } = service;
  const remove = () => {
    editor.removeService(service);
    focusOn(id === null ? ADD_SERVICE_BUTTON : serviceFieldId(key, "restore"));
  };
  const isPaused = editor.isServicePaused(id);
  const isMine = editor.pausedServiceId === id;
  const { isBusy, error } = editor.servicePausing;
  /** @param {string} word */
  const label = (word) => html`${word}<span class="visually-hidden"> ${name}</span>`;
  return html`${isMine && error ? adminProblem(error, { product }) : nothing}
    <div class="actions apart">
      ${
        id === null
          ? nothing
          : button({
              id: serviceFieldId(key, "pause"),
              label: label(isPaused ? "Resume" : "Pause"),
              busyLabel: label(isPaused ? "Resuming …" : "Pausing …"),
              isBusy: isMine && isBusy,
              onClick: () => void editor.setServicePaused(id, !isPaused),
            })
      }
      <button type="button" @click=${remove}>Remove<span class="visually-hidden"> ${name}</span></button>
    </div>`;
}
