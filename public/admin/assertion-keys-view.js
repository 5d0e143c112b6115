import { adminProblem, note } from "./admin-parts.js";
import { KEEP_BUTTON, REPLACE_BUTTON } from "./assertion-keys.js";
import { button, nameProduct, moment } from "../parts.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AdminPage } from "./admin-page.js" */

/**
 * What services need to know to believe an assertion, and its keys. Only where a service has the purpose.
 *
 * @param {AdminPage} page
 */
export function assertionKeysView(page) {
  const { assertionKeys, editor, product } = page;
  if (!editor.base.services.some(({ purposes }) => purposes.includes("assert"))) return nothing;
  const { isAsking, replacing } = assertionKeys;
  return html`<section>
    <h2>Assertions</h2>
    <p class="lead">
      With an assertion the app vouches to a service for a person in ${nameProduct(product)}. A service
      accepts one only from this issuer, with these keys, made out to its own AUD tag.
    </p>
    ${issuerView(page)}
    <p class="lead">
      The keys are replaced every 30 days by themselves. Replace them now if one may have leaked.
    </p>
    ${replacing.error ? adminProblem(replacing.error, { product }) : nothing}
    <div role="status">
      ${
        replacing.result
          ? note(
              "success",
              html`The key <span class="mono">${replacing.result.kid}</span> signs since
                ${moment(replacing.result.createdAt)}.`,
            )
          : nothing
      }
    </div>
    ${isAsking ? questionView(page) : button({ id: REPLACE_BUTTON, label: "Replace the keys", onClick: () => assertionKeys.ask() })}
  </section>`;
}

/** @param {AdminPage} page */
function issuerView({ appUrl, me, product }) {
  // The lines are kept free until it is known where this is.
  const issuer = me.result ? `${appUrl.href}sites/${me.result.site}/${product}` : null;
  return html`<dl class="values">
    <div>
      <dt>Issuer</dt>
      <dd>${issuer ? html`<code class="copy">${issuer}</code>` : "\u00a0"}</dd>
    </div>
    <div>
      <dt>Keys</dt>
      <dd>${issuer ? html`<code class="copy">${issuer}/jwks.json</code>` : "\u00a0"}</dd>
    </div>
  </dl>`;
}

/** @param {AdminPage} page */
function questionView({ assertionKeys }) {
  return html`<div class="question">
    <p>
      A new key signs at once. A service that keeps the keys it has fetched still accepts the old ones, and
      may refuse the new one, until it fetches them again. That can take ten minutes; a restart is faster.
    </p>
    <div class="actions">
      ${button({
        label: "Replace them now",
        busyLabel: "Replacing …",
        kind: "danger",
        isBusy: assertionKeys.replacing.isBusy,
        onClick: () => void assertionKeys.replace(),
      })}
      <button type="button" id=${KEEP_BUTTON} @click=${() => assertionKeys.keep()}>Keep them</button>
    </div>
  </div>`;
}
