import { PROTECTED_PATH } from "./app-address.js";
import { html } from "./vendor/lit-html/lit-html.js";

/** What to enter in Cloudflare, to copy with one click each. */
export function protectedPathView() {
  return html`<dl class="values">
    <div>
      <dt>Domain</dt>
      <dd><code class="copy">${PROTECTED_PATH.domain}</code></dd>
    </div>
    <div>
      <dt>Path</dt>
      <dd><code class="copy">${PROTECTED_PATH.path}</code></dd>
    </div>
    <div>
      <dt>Together</dt>
      <dd class="subtle">${PROTECTED_PATH.url}</dd>
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
