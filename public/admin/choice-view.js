import { live } from "../vendor/lit-html/directives/live.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

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
