import { html, nothing } from "../vendor/lit-html/lit-html.js";

/**
 * Something that can be folded away, with what it says in short.
 *
 * @param {{ title: string, ofWhat: string, summary: unknown, content: unknown, id?: string, isOpen?: boolean }} options
 */
export function fold({ title, ofWhat, summary, content, id, isOpen = false }) {
  return html`<details class="fold" ?open=${isOpen}>
    <summary id=${id ?? nothing}>
      <strong>${title}</strong><span class="visually-hidden"> of ${ofWhat}:</span>
      <span class="subtle">${summary}</span>
    </summary>
    <div class="fold-body">${content}</div>
  </details>`;
}

/**
 * Stands where something will be told, so that nothing moves once it is.
 *
 * @param {string} title
 * @param {string} ofWhat
 */
export function loadingFold(title, ofWhat) {
  return fold({
    title,
    ofWhat,
    summary: html`<span class="late">loading …</span>`,
    content: html`<p class="subtle">Loading …</p>`,
  });
}
