import { nameProduct } from "../parts.js";
import { describedBy, fieldNotes, focusOn, textField } from "./form-parts.js";
import { audienceHint } from "./protected-path-view.js";
import { serviceFieldId } from "./settings-errors.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { Product } from "./admin-parts.js" */
/** @import { DraftService, Purpose } from "./settings-draft.js" */
/** @import { SettingsEditor } from "./settings-editor.js" */

const ADD_BUTTON = "add-service";

/**
 * @param {SettingsEditor} editor
 * @param {Product} product
 */
export function servicesView(editor, product) {
  const { services } = editor.draft;
  const add = () => focusOn(serviceFieldId(editor.addService({ purposes: ["identify"] }), "label"));
  return html`${services.length === 0 ? html`<p class="empty">No services yet.</p>` : nothing}
    ${repeat(
      services,
      ({ key }) => key,
      (service) => (service.isRemoved ? removedView(editor, service) : serviceView(editor, service, product)),
    )} <button type="button" id=${ADD_BUTTON} @click=${add}>Add a service</button>`;
}

/**
 * @param {SettingsEditor} editor
 * @param {DraftService} service
 * @param {Product} product
 */
function serviceView(editor, service, product) {
  const { key } = service;
  /** @param {string} name */
  const idOf = (name) => serviceFieldId(key, name);
  const name = service.label.trim() || "New service";
  const remove = () => {
    editor.removeService(service);
    focusOn(service.id === null ? ADD_BUTTON : idOf("restore"));
  };
  return html`<fieldset class="card service">
    <legend class="visually-hidden">${name}</legend>
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
      hint: service.id === null ? audienceHint() : undefined,
      onInput: (audience) => editor.editService(key, { audience }),
    })}
    ${purposesView(editor, service, product)}
    <button type="button" @click=${remove}>Remove<span class="visually-hidden"> ${name}</span></button>
  </fieldset>`;
}

/**
 * @param {SettingsEditor} editor
 * @param {DraftService} service
 * @param {Product} product
 */
function purposesView(editor, { key, purposes }, product) {
  const id = serviceFieldId(key, "purposes");
  const error = editor.findError(id);
  const others = purposes.filter((purpose) => purpose !== "link" && purpose !== "identify");
  /**
   * @param {Purpose} purpose
   * @param {boolean} isOn
   */
  const toggle = (purpose, isOn) =>
    editor.editService(key, {
      purposes: isOn ? [...purposes, purpose] : purposes.filter((each) => each !== purpose),
    });
  /**
   * @param {Purpose} purpose
   * @param {string} title
   * @param {string} text
   * @param {string} choiceId
   */
  const choice = (purpose, title, text, choiceId) =>
    html`<label class="choice">
      <input
        type="checkbox"
        id=${choiceId}
        .checked=${live(purposes.includes(purpose))}
        @change=${(/** @type {Event} */ event) =>
          toggle(purpose, /** @type {HTMLInputElement} */ (event.target).checked)}
      />
      <span>${title}<small>${text}</small></span>
    </label>`;
  return html`<fieldset aria-describedby=${describedBy(id, others.length > 0, error)}>
    <legend>What it may be used for</legend>
    ${choice(
      "identify",
      "Identify",
      `The service may ask who its visitor is in ${nameProduct(product)}.`,
      id,
    )}
    ${choice(
      "link",
      "Link",
      "People link their accounts through it. Only for the application that protects the linking window.",
      `${id}-link`,
    )}
    ${fieldNotes(id, others.length > 0 && `Also ${others.join(" and ")}, which stays as it is.`, error)}
  </fieldset>`;
}

/**
 * @param {SettingsEditor} editor
 * @param {DraftService} service
 */
function removedView(editor, { key, label, purposes }) {
  const restore = () => {
    editor.editService(key, { isRemoved: false });
    focusOn(serviceFieldId(key, "label"));
  };
  return html`<div class="card removed">
    <p>
      <strong>${label}</strong> will be removed when you
      save.${purposes.includes("link") ? " Nobody can link after that." : ""}
    </p>
    <button type="button" id=${serviceFieldId(key, "restore")} @click=${restore}>
      Undo<span class="visually-hidden"> removing ${label}</span>
    </button>
  </div>`;
}
