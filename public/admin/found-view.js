import { focusOn } from "./form-parts.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/**
 * What stands at the linking window already, to be taken over with one click while nothing has been typed.
 *
 * @param {{ found: string | null | undefined, entered: string, fieldId: string, use: (found: string) => void }} options
 */
export function foundView({ found, entered, fieldId, use }) {
  if (!found || entered.trim() !== "") return nothing;
  const click = () => {
    use(found);
    focusOn(fieldId);
  };
  return html`<p class="found">
    <span>Stands there now: <strong class="mono">${found}</strong></span>
    <button type="button" @click=${click}>Use it</button>
  </p>`;
}
