import { foundView } from "./found-view.js";
import { stepHeadingId } from "./first-run.js";
import { textField } from "./form-parts.js";
import { button } from "../parts.js";
import { audienceHint, dashboardPath, protectedPathView } from "./protected-path-view.js";
import { saveProblemView } from "./save-bar-view.js";
import { serviceFieldId } from "./settings-errors.js";
import { teamField } from "./team-field.js";
import { tryItView } from "./try-it-view.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AdminPage } from "./admin-page.js" */
/** @import { FirstRun, Step } from "./first-run.js" */
/** @import { DraftService } from "./settings-draft.js" */

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
    html`${saveButton(firstRun.isBusy)}
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
  const { link, tool } = firstRun;
  /**
   * @param {DraftService} service
   * @param {"label" | "audience"} name
   * @param {(changes: Partial<DraftService>) => void} edit
   */
  const fieldOf = (service, name, edit) => {
    const id = serviceFieldId(service.key, name);
    return {
      id,
      value: service[name],
      error: editor.findError(id),
      onInput: (/** @type {string} */ value) => edit({ [name]: value }),
    };
  };
  /** @param {Partial<DraftService>} changes */
  const editLink = (changes) => firstRun.editLink(changes);
  /** @param {Partial<DraftService>} changes */
  const editTool = (changes) => firstRun.editTool(changes);
  return stepForm(
    () => void firstRun.saveServices(),
    html`<p class="lead">
        The linking window is the small window in which people prove their Access identity. It needs an Access
        application of its own, so that Cloudflare signs in whoever opens it.
      </p>
      <p class="lead">
        ${dashboardPath("Access controls > Applications > Add an application > Self-hosted")} Give it an Allow
        policy for the people who may link, and protect this path alone, not the whole host:
      </p>
      ${protectedPathView(appUrl)}
      <p class="hint">
        The domain must be in your team’s Cloudflare account; if it isn’t yours, ask whoever runs this app.
      </p>
      ${textField({
        ...fieldOf(link, "audience", editLink),
        label: "AUD tag of this application",
        isCode: true,
        hint: audienceHint(),
      })}
      <div role="status" class="result">
        ${foundView({
          found: editor.popupCheck.result?.audience,
          entered: link.audience,
          fieldId: serviceFieldId(link.key, "audience"),
          use: (audience) => editLink({ audience }),
        })}
      </div>
      <h3>A first tool, if you like</h3>
      <p class="lead">
        An internal tool behind Access that may ask who its visitor is, with an AUD tag of its own. Listing it
        here makes it a trusted service. You can add tools later.
      </p>
      ${textField({ ...fieldOf(tool, "label", editTool), label: "Name of the tool" })}
      ${textField({ ...fieldOf(tool, "audience", editTool), label: "AUD tag of the tool", isCode: true })}
      ${saveProblemView(editor, product)}`,
    saveButton(firstRun.isBusy),
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
