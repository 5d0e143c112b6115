import { ApiError, HostMissingError, LateAnswerError, NoAnswerError } from "./errors.js";
import { html, nothing } from "./vendor/lit-html/lit-html.js";

/** @import { TemplateResult } from "./vendor/lit-html/lit-html.js" */

const TIME_FORMAT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

/**
 * @typedef {object} MessageContent
 * @property {"info" | "success" | "warning" | "error"} tone
 * @property {string} title
 * @property {unknown} [text]
 * @property {unknown} [actions]
 */

/**
 * Errors are read out at once, the rest when there is a pause.
 *
 * @param {MessageContent} content
 */
export function message({ tone, title, text, actions }) {
  return html`<div class="message ${tone}" role=${tone === "error" ? "alert" : "status"}>
    <h2>${title}</h2>
    ${text ? html`<p>${text}</p>` : nothing}
    ${actions ? html`<div class="actions">${actions}</div>` : nothing}
  </div>`;
}

/**
 * Why something didn't work and what to do next; `retry` adds a button.
 *
 * @param {unknown} error
 * @param {{ readonly retry?: () => void }} [options]
 */
export function problemMessage(error, { retry } = {}) {
  const { title, text } = explain(error);
  return message({
    tone: "error",
    title,
    text: html`${text} ${error instanceof ApiError ? reference(error) : nothing}`,
    actions: retry && html`<button type="button" @click=${retry}>Try again</button>`,
  });
}

/**
 * @param {unknown} error
 * @returns {{ title: string, text: string }}
 */
export function explain(error) {
  if (error instanceof HostMissingError) {
    return {
      title: "A script of the product didn’t load",
      text: "This page needs a script that Atlassian serves, and the browser did not get it. Allow connect-cdn.atl-paas.net in your ad blocker or firewall, then load the page again.",
    };
  }
  if (error instanceof ApiError) return { title: error.problem.title, text: error.problem.detail };
  if (error instanceof LateAnswerError) {
    return { title: "The app takes too long to answer", text: "Try again in a moment." };
  }
  if (error instanceof NoAnswerError) {
    return {
      title: "The app can’t be reached",
      text: "Nothing was lost. Check your connection and try again; if it stays like this, tell whoever runs the app.",
    };
  }
  return {
    title: "Something went wrong on this page",
    text: "Load the page again. If it happens again, tell whoever runs the app.",
  };
}

/** @param {ApiError} error */
function reference({ problem }) {
  return html`<small>Reference <code>${problem.reference}</code></small>`;
}

/**
 * A moment in the reader's own time zone.
 *
 * @param {string} iso
 */
export function moment(iso) {
  return html`<time datetime=${iso}>${TIME_FORMAT.format(new Date(iso))}</time>`;
}

/**
 * Shown only when something takes longer than a blink.
 *
 * @param {string} text
 */
export function waiting(text) {
  return html`<p class="subtle late" role="status" data-waiting>${text}</p>`;
}

/**
 * A button that keeps its place and its focus while its work is under way.
 *
 * @param {{ id?: string, label: unknown, busyLabel?: unknown, isBusy?: boolean, kind?: "primary" | "danger" | "", type?: "button" | "submit", onClick?: () => void }} options
 * @returns {TemplateResult}
 */
export function button({
  id,
  label,
  busyLabel = label,
  isBusy = false,
  kind = "",
  type = "button",
  onClick,
}) {
  /** @param {Event} event */
  const click = (event) => {
    if (isBusy) event.preventDefault();
    else onClick?.();
  };
  return html`<button
    id=${id ?? nothing}
    type=${type}
    class=${kind}
    aria-disabled=${isBusy ? "true" : "false"}
    @click=${click}
  >
    ${isBusy ? busyLabel : label}
  </button>`;
}

/** @param {"jira" | "confluence"} product */
export function nameProduct(product) {
  return product === "jira" ? "Jira" : "Confluence";
}
