import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { live } from "../vendor/lit-html/directives/live.js";

/**
 * @typedef {object} FieldOptions
 * @property {string} id
 * @property {string} label
 * @property {string} value
 * @property {(value: string) => void} onInput
 * @property {unknown} [hint]
 * @property {string | null} [error]
 * @property {string} [placeholder]
 * @property {boolean} [isCode] Something to paste rather than to read.
 * @property {unknown} [after] Stands beside the input, such as a button.
 */

/**
 * A labelled line to type in, with its hint and what is wrong with it.
 *
 * @param {FieldOptions} options
 */
export function textField(options) {
  const { id, label, value, onInput, hint, error, isCode, after } = options;
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <div class="line">
      <input
        type="text"
        id=${id}
        class=${isCode ? "mono" : ""}
        autocomplete="off"
        autocapitalize="off"
        spellcheck="false"
        placeholder=${options.placeholder ?? ""}
        aria-invalid=${error ? "true" : "false"}
        aria-describedby=${describedBy(id, hint, error)}
        .value=${live(value)}
        @input=${(/** @type {Event} */ event) => onInput(valueOf(event))}
      />
      ${after ?? nothing}
    </div>
    ${fieldNotes(id, hint, error)}
  </div>`;
}

/**
 * Several lines, one thing each.
 *
 * @param {FieldOptions & { rows: number }} options
 */
export function linesField({ id, label, value, onInput, hint, error, isCode, rows }) {
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <textarea
      id=${id}
      class=${isCode ? "mono" : ""}
      rows=${rows}
      spellcheck="false"
      autocapitalize="off"
      aria-invalid=${error ? "true" : "false"}
      aria-describedby=${describedBy(id, hint, error)}
      .value=${live(value)}
      @input=${(/** @type {Event} */ event) => onInput(valueOf(event))}
    ></textarea>
    ${fieldNotes(id, hint, error)}
  </div>`;
}

/**
 * Something to tick, with what it means.
 *
 * @param {{ id: string, title: string, text: unknown, isOn: boolean, onChange: (isOn: boolean) => void, type?: "checkbox" | "radio", name?: string }} options
 */
export function choiceView({ id, title, text, isOn, onChange, type = "checkbox", name }) {
  return html`<label class="choice">
    <input
      type=${type}
      id=${id}
      name=${name ?? nothing}
      .checked=${live(isOn)}
      @change=${(/** @type {Event} */ event) =>
        onChange(/** @type {HTMLInputElement} */ (event.target).checked)}
    />
    <span>${title} <small>${text}</small></span>
  </label>`;
}

/**
 * @param {string} id
 * @param {unknown} hint
 * @param {string | null | undefined} error
 */
export function fieldNotes(id, hint, error) {
  return html`${error ? html`<p class="field-error" id="${id}-error">${error}</p>` : nothing}
  ${hint ? html`<p class="hint" id="${id}-hint">${hint}</p>` : nothing}`;
}

/**
 * @param {string} id
 * @param {unknown} hint
 * @param {string | null | undefined} error
 */
export function describedBy(id, hint, error) {
  return [error && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(" ") || nothing;
}

/** @param {Event} event */
export function valueOf(event) {
  return /** @type {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} */ (event.target).value;
}

/**
 * Brings somebody to where the work goes on.
 *
 * @param {string} id
 */
export function focusOn(id) {
  document.getElementById(id)?.focus();
}

/**
 * The same, for a field that may be folded in.
 *
 * @param {string} id
 */
export function focusOnField(id) {
  for (let fold = findFold(document.getElementById(id)); fold; fold = findFold(fold.parentElement)) {
    fold.open = true;
  }
  focusOn(id);
}

/** @param {Element | null} element */
function findFold(element) {
  return element?.closest("details") ?? null;
}
