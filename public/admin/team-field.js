import { textField } from "./form-parts.js";
import { dashboardPath } from "./protected-path-view.js";
import { foundView } from "./found-view.js";
import { button } from "../parts.js";
import { TEAM_DOMAIN_FIELD } from "./settings-errors.js";
import { teamCheckView } from "./team-check-view.js";
import { html } from "../vendor/lit-html/lit-html.js";

/** @import { SettingsEditor } from "./settings-editor.js" */

/** @param {SettingsEditor} editor */
export function teamField(editor) {
  const { draft, teamCheck, popupCheck } = editor;
  return html`${textField({
    id: TEAM_DOMAIN_FIELD,
    label: "Team domain",
    value: draft.teamDomain,
    placeholder: "acme.cloudflareaccess.com",
    error: editor.findError(TEAM_DOMAIN_FIELD),
    hint: html`${dashboardPath("Settings")} With or without https://.`,
    onInput: (teamDomain) => editor.edit({ teamDomain }),
    after: button({
      label: "Check",
      busyLabel: "Checking …",
      isBusy: teamCheck.isBusy,
      onClick: () => void editor.checkTeam(),
    }),
  })}
  ${teamCheckView(
    teamCheck,
    foundView({
      found: popupCheck.result?.teamDomain,
      entered: draft.teamDomain,
      fieldId: TEAM_DOMAIN_FIELD,
      use: (teamDomain) => editor.edit({ teamDomain }),
    }),
  )}`;
}
