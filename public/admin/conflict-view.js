import { button, moment } from "../parts.js";
import { saveAndFocus, saveProblemView } from "./save-bar-view.js";
import { saySide, sayWhat } from "./difference-words.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AdminPage } from "./admin-page.js" */
/** @import { SettingsConflict } from "./settings-conflict.js" */
/** @import { Difference, Side } from "./settings-merge.js" */

/** @type {Readonly<Record<Difference["changedBy"], string>>} */
const CHANGED_BY = {
  me: "Only you changed this.",
  them: "Only they changed this.",
  both: "You both changed this.",
};

/**
 * Both versions, side by side: nothing of either is lost without being seen.
 *
 * @param {AdminPage} page
 * @param {SettingsConflict} conflict
 */
export function conflictView(page, conflict) {
  const { editor } = page;
  const save = () => void saveAndFocus(editor, () => page.saveConflict());
  return html`<section>
    <h2 id="conflict" tabindex="-1">Somebody else saved while you were editing</h2>
    <p class="lead">
      ${whoView(page, conflict)} Nothing of yours is saved yet. Choose what counts where the two differ, then
      save.
    </p>
    ${conflict.differences.map((difference, index) => differenceView(page, conflict, difference, index))}
    ${conflict.differences.length === 0 ? html`<p>Both versions say the same.</p>` : nothing}
    ${saveProblemView(editor, page.product)}
    <div class="actions">
      ${button({ label: "Save this", busyLabel: "Saving …", kind: "primary", isBusy: editor.saving.isBusy, onClick: save })}
      ${button({ label: "Drop my changes", isBusy: editor.saving.isBusy, onClick: () => page.dropMyChanges() })}
    </div>
  </section>`;
}

/**
 * @param {AdminPage} page
 * @param {SettingsConflict} conflict
 */
function whoView({ names }, { event }) {
  if (!event) return nothing;
  const { accountId } = event.actor;
  const name = accountId === null ? "Somebody" : (names.find(accountId) ?? accountId);
  return html`<strong>${name}</strong> saved on ${moment(event.at)}.`;
}

/**
 * @param {AdminPage} page
 * @param {SettingsConflict} conflict
 * @param {Difference} difference
 * @param {number} index
 */
function differenceView(page, conflict, difference, index) {
  const chosen = conflict.sideOf(difference);
  /**
   * @param {Side} side
   * @param {string} title
   */
  const choice = (side, title) =>
    html`<label class="choice side">
      <input
        type="radio"
        name="difference-${index}"
        value=${side}
        .checked=${live(chosen === side)}
        @change=${() => page.chooseSide(difference, side)}
      />
      <span><strong>${title}</strong>${valueView(difference, side)}</span>
    </label>`;
  return html`<fieldset class="card difference">
    <legend>${sayWhat(difference)}</legend>
    <p class="subtle">${CHANGED_BY[difference.changedBy]}</p>
    <div class="sides">${choice("mine", "Mine")} ${choice("theirs", "Theirs")}</div>
  </fieldset>`;
}

/**
 * @param {Difference} difference
 * @param {Side} side
 */
function valueView(difference, side) {
  return html`<span class="value ${isCode(difference) ? "mono" : ""}">${saySide(difference, side)}</span>`;
}

/** @param {Difference} difference */
function isCode({ field }) {
  return field === "audience" || field === "requests" || field === "ipAddresses";
}
