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

/**
 * Where something is in Cloudflare's dashboard, with where to begin.
 *
 * @param {string} path
 */
export function dashboardPath(path) {
  return html`In Cloudflare’s dashboard, dash.cloudflare.com:
    <strong>Zero Trust (Cloudflare One) &gt; ${path}</strong>.`;
}

export function audienceHint() {
  return dashboardPath(
    "Access controls > Applications > your application > Configure > Additional settings > Application Audience (AUD) Tag",
  );
}
