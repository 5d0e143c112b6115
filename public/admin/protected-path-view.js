import { html } from "../vendor/lit-html/lit-html.js";

/**
 * What to enter in Cloudflare, to copy with one click each.
 *
 * @param {URL} appUrl
 */
export function protectedPathView({ host, pathname, href }) {
  return html`<dl class="values">
    <div>
      <dt>Domain</dt>
      <dd><code class="copy">${host}</code></dd>
    </div>
    <div>
      <dt>Path</dt>
      <dd><code class="copy">${pathname.slice(1)}access/*</code></dd>
    </div>
    <div>
      <dt>Together</dt>
      <dd class="subtle">${href}access/*</dd>
    </div>
  </dl>`;
}

export function audienceHint() {
  return html`In Cloudflare’s dashboard:
    <strong>
      Zero Trust &gt; Access controls &gt; Applications &gt; your application &gt; Configure &gt; Additional
      settings &gt; Application Audience (AUD) Tag</strong
    >.`;
}
