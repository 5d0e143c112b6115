import { adminProblem } from "./admin-parts.js";
import { focusOn, focusOnField } from "./form-parts.js";
import { button, message } from "../parts.js";
import { sayKeys } from "./team-check-view.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { Product } from "./admin-parts.js" */
/** @import { PlacedError } from "./settings-errors.js" */
/** @import { SettingsEditor } from "./settings-editor.js" */

const TIME_FORMAT = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/**
 * Belongs into the form that it submits.
 *
 * @param {SettingsEditor} editor
 */
export function saveBarView(editor) {
  const { isDirty, saving } = editor;
  const state = saving.isBusy ? "Saving …" : isDirty ? "Unsaved changes" : saySaved(editor);
  return html`<div class="save-bar ${isDirty ? "dirty" : ""}">
    ${button({ label: "Save", kind: "primary", type: "submit", isBusy: !isDirty || saving.isBusy })}
    ${button({ label: "Discard", isBusy: !isDirty || saving.isBusy, onClick: () => editor.discard() })}
    <p role="status">${state}</p>
  </div>`;
}

/** @param {SettingsEditor} editor */
function saySaved({ savedAt, teamCheck }) {
  if (savedAt === null) return nothing;
  const saved = `Saved at ${TIME_FORMAT.format(savedAt)}.`;
  const { result, isBusy } = teamCheck;
  if (isBusy || result === null) return saved;
  return result.ok
    ? `${saved} The team answered with ${sayKeys(result.keyCount)}.`
    : `${saved} The team’s keys can’t be fetched: see above.`;
}

/**
 * What stands in the way of saving, each with the way to its input.
 *
 * @param {SettingsEditor} editor
 * @param {Product} product
 */
export function saveProblemView({ errors, saving }, product) {
  if (errors.length > 0) {
    return message({
      tone: "error",
      title:
        errors.length === 1
          ? "One thing needs to be corrected"
          : `${errors.length} things need to be corrected`,
      text: "Nothing is saved yet.",
      actions: html`<ul>
        ${errors.map((error) => html`<li>${errorView(error)}</li>`)}
      </ul>`,
    });
  }
  return saving.error ? adminProblem(saving.error, { product }) : nothing;
}

/** @param {PlacedError} error */
function errorView({ fieldId, label, text }) {
  if (fieldId === null) return html`${label}: ${text}`;
  /** @param {Event} event */
  const go = (event) => {
    event.preventDefault();
    focusOnField(fieldId);
  };
  return html`<a href="#${fieldId}" @click=${go}>${label}</a>: ${text}`;
}

/**
 * Saves; what is wrong is where the work goes on.
 *
 * @param {SettingsEditor} editor
 * @param {() => Promise<boolean>} work
 */
export async function saveAndFocus(editor, work) {
  const isSaved = await work();
  const wrong = editor.errors.find(({ fieldId }) => fieldId !== null);
  if (wrong?.fieldId) focusOnField(wrong.fieldId);
  else if (editor.conflict) focusOn("conflict");
  return isSaved;
}
