import { foundView } from "./found-view.js";
import { stepHeadingId } from "./first-run.js";
import { textField } from "./form-parts.js";
import { button } from "../parts.js";
import { audienceHint, protectedPathView } from "./protected-path-view.js";
import { saveProblemView } from "./save-bar-view.js";
import { serviceFieldId } from "./settings-errors.js";
import { teamField } from "./team-field.js";
import { tryItView } from "./try-it-view.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AdminPage } from "./admin-page.js" */
/** @import { FirstRun, Step } from "./first-run.js" */

/** @type {Readonly<Record<Step, { title: string, teaser: string }>>} */
const STEPS = {
  1: { title: "Your Access team", teaser: "Which team signs your people in." },
  2: { title: "The Access application", teaser: "What protects the linking window." },
  3: { title: "Try it", teaser: "Link your own account." },
};

/**
 * @param {AdminPage} page
 * @param {FirstRun} firstRun
 */
export function firstRunView(page, firstRun) {
  return html`<ol class="steps">
    ${stepView(page, firstRun, 1, teamStepView)} ${stepView(page, firstRun, 2, servicesStepView)}
    ${stepView(page, firstRun, 3, tryStepView)}
  </ol>`;
}

/**
 * @param {AdminPage} page
 * @param {FirstRun} firstRun
 * @param {Step} step
 * @param {(page: AdminPage, firstRun: FirstRun) => unknown} contentView
 */
function stepView(page, firstRun, step, contentView) {
  const isOpen = firstRun.openStep === step;
  const isDone = !isOpen && firstRun.isDone(step);
  const { title, teaser } = STEPS[step];
  return html`<li class="card step ${isOpen ? "open" : ""} ${isDone ? "done" : ""}">
    <div class="step-head">
      <span class="number" aria-hidden="true">${isDone ? "✓" : step}</span>
      <div>
        <h2 id=${stepHeadingId(step)} tabindex="-1">
          <span class="visually-hidden">Step ${step} of 3${isDone ? ", done" : ""}:</span> ${title}
        </h2>
        ${isOpen ? nothing : html`<p class="subtle">${isDone ? summaryOf(page, step) : teaser}</p>`}
      </div>
      ${
        !isOpen && (isDone || (step === 3 && firstRun.isDone(2)))
          ? html`<button type="button" @click=${() => firstRun.open(step)}>
              ${isDone ? "Change" : "Open"}<span class="visually-hidden"> ${title}</span>
            </button>`
          : nothing
      }
    </div>
    ${isOpen ? html`<div class="step-body">${contentView(page, firstRun)}</div>` : nothing}
  </li>`;
}

/**
 * @param {AdminPage} page
 * @param {Step} step
 */
function summaryOf({ editor: { base } }, step) {
  if (step === 1) return base.teamDomain;
  return base.services.map(({ label }) => label).join(", ");
}

/**
 * @param {AdminPage} page
 * @param {FirstRun} firstRun
 */
function teamStepView({ editor, product }, firstRun) {
  const { result } = editor.teamCheck;
  const isDoubtful = firstRun.isDone(1) && !editor.isDirty && result !== null && !result.ok;
  return stepForm(
    () => void firstRun.saveTeam(),
    html`<p class="lead">The app checks every sign-in against the keys that your team publishes.</p>
      ${teamField(editor)}
      ${
        isDoubtful
          ? html`<p>
              The team domain is saved, but nobody can be signed in with it like this. Compare it with
              Cloudflare’s dashboard and check again.
            </p>`
          : nothing
      }
      ${saveProblemView(editor, product)}`,
    html`${saveButton(editor.saving.isBusy)}
    ${
      isDoubtful
        ? html`<button type="button" @click=${() => firstRun.goOnAnyway()}>Go on all the same</button>`
        : nothing
    }`,
  );
}

/**
 * @param {AdminPage} page
 * @param {FirstRun} firstRun
 */
function servicesStepView({ editor, product, appUrl }, firstRun) {
  const { linkKey, toolKey } = firstRun;
  /** @param {string} key */
  const serviceOf = (key) => editor.draft.services.find((service) => service.key === key);
  /**
   * @param {string} key
   * @param {"label" | "audience"} name
   */
  const fieldOf = (key, name) => {
    const id = serviceFieldId(key, name);
    return {
      id,
      value: serviceOf(key)?.[name] ?? "",
      error: editor.findError(id),
      onInput: (/** @type {string} */ value) => editor.editService(key, { [name]: value }),
    };
  };
  return stepForm(
    () => void firstRun.saveServices(),
    html`<p class="lead">
        In Cloudflare, add a self-hosted application with an Allow policy for the people who may link. Protect
        this path alone, not the whole host:
      </p>
      ${protectedPathView(appUrl)}
      ${textField({
        ...fieldOf(linkKey, "audience"),
        label: "AUD tag of this application",
        isCode: true,
        hint: audienceHint(),
      })}
      <div role="status" class="result">
        ${foundView({
          found: editor.popupCheck.result?.audience,
          entered: serviceOf(linkKey)?.audience ?? "",
          fieldId: serviceFieldId(linkKey, "audience"),
          use: (audience) => editor.editService(linkKey, { audience }),
        })}
      </div>
      <h3>A first tool, if you like</h3>
      <p class="lead">
        An internal tool behind Access that may ask who its visitor is. It has an AUD tag of its own. You can
        add tools later.
      </p>
      ${textField({ ...fieldOf(toolKey, "label"), label: "Name of the tool" })}
      ${textField({ ...fieldOf(toolKey, "audience"), label: "AUD tag of the tool", isCode: true })}
      ${saveProblemView(editor, product)}`,
    saveButton(editor.saving.isBusy),
  );
}

/** @param {AdminPage} page */
function tryStepView(page) {
  const isLinked = page.linking.state.phase === "done" || (page.me.result?.links.length ?? 0) > 0;
  return html`<p class="lead">
      First from outside: nobody can link while the linking window isn’t behind Access.
    </p>
    ${tryItView(page)}
    <div class="actions end">
      ${button({
        label: isLinked ? "Finish" : "Finish without linking",
        kind: isLinked ? "primary" : "",
        onClick: () => page.finishFirstRun(),
      })}
    </div>`;
}

/**
 * @param {() => void} onSubmit
 * @param {unknown} content
 * @param {unknown} actions
 */
function stepForm(onSubmit, content, actions) {
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    onSubmit();
  };
  return html`<form novalidate @submit=${submit}>
    ${content}
    <div class="actions">${actions}</div>
  </form>`;
}

/** @param {boolean} isBusy */
function saveButton(isBusy) {
  return button({ label: "Save and go on", busyLabel: "Saving …", type: "submit", kind: "primary", isBusy });
}
