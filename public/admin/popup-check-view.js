import { adminProblem, note } from "./admin-parts.js";
import { button } from "../parts.js";
import { protectedPathView } from "./protected-path-view.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AdminPage } from "./admin-page.js" */
/** @import { SettingsEditor } from "./settings-editor.js" */
/** @import { PopupCheck } from "../types.js" */

/**
 * Is the linking window really behind Access?
 *
 * @param {AdminPage} page
 */
export function popupCheckView({ editor, product, appUrl }) {
  const { isBusy, result, error } = editor.popupCheck;
  return html`<div role="status" class="result">
      ${
        error
          ? adminProblem(error, { product })
          : result
            ? findingView(result, editor, appUrl)
            : isBusy
              ? html`<p class="subtle late">Looking at the linking window from outside …</p>`
              : nothing
      }
    </div>
    ${button({
      label: result || error ? "Check again" : "Check the linking window",
      busyLabel: "Checking …",
      isBusy,
      onClick: () => void editor.checkPopupPath(),
    })}`;
}

/**
 * @param {PopupCheck} check
 * @param {SettingsEditor} editor
 * @param {URL} appUrl
 */
function findingView(check, editor, appUrl) {
  const { finding, detail } = check;
  switch (finding) {
    case "behind_access":
      return note("success", detail);
    case "no_link_service":
      return note(
        "error",
        html`<p>${detail}</p>
          <p>
            Add the application that protects the linking window to the trusted services, or tick
            <strong>Link</strong> at it, and save.
          </p>`,
      );
    case "open":
      return note(
        "error",
        html`<p>${detail}</p>
          <p>
            In Cloudflare, give the application these two values and an Allow policy. Bypass is not enough.
          </p>
          ${protectedPathView(appUrl)}`,
      );
    case "other_team":
      return note(
        "error",
        html`<p>${detail}</p>
          ${comparisonView("Team", check.teamDomain, editor.base.teamDomain)}`,
      );
    case "other_application":
      return note(
        "error",
        html`<p>${detail}</p>
          ${comparisonView("AUD tag", check.audience, findLinkAudience(editor))}
          <p>
            If the application that was found is meant, enter its AUD tag. If the whole host is behind another
            application, add one for this path alone:
          </p>
          ${protectedPathView(appUrl)}`,
      );
    case "unreachable":
    case "unclear":
      return note(
        "warning",
        html`<p>${detail}</p>
          <p>Looked at <code>${check.url}</code></p>`,
      );
  }
}

/**
 * @param {string} label
 * @param {string | null} found
 * @param {string | null} entered
 */
function comparisonView(label, found, entered) {
  return html`<dl class="values">
    <div>
      <dt>${label} found</dt>
      <dd><code class="copy">${found ?? "unknown"}</code></dd>
    </div>
    <div>
      <dt>${label} entered</dt>
      <dd><code class="copy">${entered ?? "none"}</code></dd>
    </div>
  </dl>`;
}

/** @param {SettingsEditor} editor */
function findLinkAudience({ base }) {
  return base.services.find(({ purposes }) => purposes.includes("link"))?.audience ?? null;
}
