import { adminProblem } from "./admin-parts.js";
import { focusOn } from "./form-parts.js";
import { button, message, nameProduct } from "../parts.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { Product } from "./admin-parts.js" */
/** @import { SettingsEditor } from "./settings-editor.js" */

const PAUSE_BUTTON = "pause";

/**
 * Stops everything at once, and starts it again.
 *
 * @param {SettingsEditor} editor
 * @param {Product} product
 */
export function pauseView(editor, product) {
  const { isPaused, pausing } = editor;
  const toggle = async () => {
    await editor.setPaused(!isPaused);
    focusOn(PAUSE_BUTTON);
  };
  const problem = pausing.error ? adminProblem(pausing.error, { product }) : nothing;
  const action = button({
    id: PAUSE_BUTTON,
    label: isPaused ? "Resume the app" : "Pause the app",
    busyLabel: isPaused ? "Resuming …" : "Pausing …",
    isBusy: pausing.isBusy,
    onClick: () => void toggle(),
  });
  if (!isPaused) {
    return html`<p class="lead">
        While it is paused, nobody can link, and no service can identify anybody or act for anybody in
        ${nameProduct(product)}. Links and settings stay. It takes effect at once. One service alone is paused
        where it is listed.
      </p>
      ${problem} ${action}`;
  }
  return html`${message({
    tone: "warning",
    title: `Paused in ${nameProduct(product)}`,
    text: "Nobody can link, and no service can identify anybody or act for anybody. Links and settings are kept.",
    actions: action,
  })}
  ${problem}`;
}
