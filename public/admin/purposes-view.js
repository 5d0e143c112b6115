import { choiceView, describedBy, fieldNotes } from "./form-parts.js";
import { nameProduct } from "../parts.js";
import { serviceFieldId } from "./settings-errors.js";
import { html } from "../vendor/lit-html/lit-html.js";

/** @import { Product } from "./admin-parts.js" */
/** @import { DraftService, Purpose } from "./settings-draft.js" */
/** @import { SettingsEditor } from "./settings-editor.js" */
/** @import { ServiceDraft } from "../types.js" */

/** @type {Readonly<Record<Purpose, string>>} */
const TITLES = { link: "Link", identify: "Identify", act: "Act", assert: "Assert" };

/**
 * @param {SettingsEditor} editor
 * @param {DraftService} service
 * @param {Product} product
 */
export function purposesView(editor, { key, purposes }, product) {
  const id = serviceFieldId(key, "purposes");
  const error = editor.findError(id);
  const name = nameProduct(product);
  /** @type {readonly { purpose: Purpose, text: string }[]} */
  const choices = [
    {
      purpose: "identify",
      text: `The service may ask who its visitor is in ${name}.`,
    },
    {
      purpose: "act",
      text: `The service may do things in ${name} as its visitor, within limits that you set.`,
    },
    {
      purpose: "assert",
      text: `A page in ${name} may tell the service who is looking at it, in a statement that the app signs. People agree to it as they do to acting.`,
    },
    {
      purpose: "link",
      text: "People link their accounts through it. Only for the application that protects the linking window.",
    },
  ];
  /**
   * @param {Purpose} purpose
   * @param {boolean} isOn
   */
  const toggle = (purpose, isOn) =>
    editor.editService(key, {
      purposes: isOn ? [...purposes, purpose] : purposes.filter((each) => each !== purpose),
    });
  return html`<fieldset aria-describedby=${describedBy(id, null, error)}>
    <legend>What it may be used for</legend>
    ${choices.map(({ purpose, text }) =>
      choiceView({
        title: TITLES[purpose],
        text,
        id: purpose === "identify" ? id : `${id}-${purpose}`,
        isOn: purposes.includes(purpose),
        onChange: (isOn) => toggle(purpose, isOn),
      }),
    )}
    ${fieldNotes(id, null, error)}
  </fieldset>`;
}

/** @param {ServiceDraft["purposes"]} purposes */
export function sayPurposes(purposes) {
  return purposes.map((purpose) => TITLES[purpose]).join(", ") || "nothing";
}
