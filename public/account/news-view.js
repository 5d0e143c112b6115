import { moment } from "../parts.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { News } from "../types.js" */

/**
 * What has happened since somebody last looked, told once.
 *
 * @param {readonly News[]} news Newest first.
 * @param {string} productName
 */
export function newsView(news, productName) {
  if (news.length === 0) return nothing;
  return html`<section class="message info news" aria-labelledby="news">
    <h2 id="news">New since your last visit</h2>
    <ul>
      ${news.map((item) => html`<li>${sentence(item, productName)} <small>${moment(item.at)}</small></li>`)}
    </ul>
    <p>If you didn’t expect this, unlink the identity or withdraw your consent below, and tell an admin.</p>
  </section>`;
}

/**
 * @param {News} item
 * @param {string} productName
 */
function sentence(item, productName) {
  return item.type === "linked"
    ? html`<strong><bdi>${item.email}</bdi></strong> in Cloudflare Access was linked to your account.`
    : html`<strong><bdi>${item.label}</bdi></strong> did something in ${productName} as you for the first
        time.`;
}
