import { ApiError } from "../errors.js";
import { message, nameProduct, problemMessage } from "../parts.js";
import { html } from "../vendor/lit-html/lit-html.js";

/** @typedef {"jira" | "confluence"} Product */

/**
 * A short result beside the thing that it is about; read out when there is a pause.
 *
 * @param {"success" | "warning" | "error" | "info"} tone
 * @param {unknown} content
 */
export function note(tone, content) {
  return html`<div class="note ${tone}">
    <span class="mark" aria-hidden="true"></span>
    <div>${content}</div>
  </div>`;
}

/**
 * Why something an admin did was refused.
 *
 * @param {unknown} error
 * @param {{ product: Product, retry?: () => void }} options
 */
export function adminProblem(error, { product, retry }) {
  const name = nameProduct(product);
  if (error instanceof ApiError && error.problem.code === "not_admin") {
    return message({
      tone: "error",
      title: `You don’t administer ${name}`,
      text: `${name} says that your account isn’t an admin, or isn’t one any more. Nothing was changed. Ask another admin for the right, then try again.`,
      actions: retry && html`<button type="button" @click=${retry}>Try again</button>`,
    });
  }
  if (error instanceof ApiError && error.retryAfterSeconds !== null) {
    return message({
      tone: "error",
      title: error.problem.title,
      text: `Nothing was changed. Try again ${sayWait(error.retryAfterSeconds)}.`,
      actions: retry && html`<button type="button" @click=${retry}>Try again</button>`,
    });
  }
  return problemMessage(error, retry && { retry });
}

/** @param {number} seconds */
export function sayWait(seconds) {
  if (seconds < 2) return "in a second";
  if (seconds < 120) return `in ${seconds} seconds`;
  return `in ${Math.ceil(seconds / 60)} minutes`;
}
