import { button, explain, message, moment } from "../parts.js";
import { requestsView } from "./service-requests-view.js";
import { sayDuration } from "../say-duration.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AccountActions } from "./account-page.js" */
/** @import { Deciding } from "./service-actions.js" */
/** @import { Service } from "../types.js" */

/**
 * @typedef {object} ServiceParts
 * @property {AccountActions} actions
 * @property {Deciding | null} deciding About this service.
 * @property {boolean} isArrival Somebody was sent here to see it.
 * @property {"jira" | "confluence"} product
 * @property {string} productName
 */

/** @type {Readonly<Record<Service["standing"], { tone: "" | "success" | "warning", words: string }>>} */
const LOZENGES = {
  undecided: { tone: "warning", words: "Asks for your consent" },
  changed: { tone: "warning", words: "Asks you again" },
  given: { tone: "success", words: "Allowed" },
  agreed: { tone: "success", words: "Allowed" },
  withdrawn: { tone: "", words: "Not allowed" },
};

/** A button that has changed under the pointer isn't what the second half of a double click meant. */
const IGNORE_DOUBLE_CLICKS = {
  capture: true,
  /** @param {MouseEvent} event */
  handleEvent(event) {
    if (event.detail > 1) event.stopPropagation();
  },
};

/**
 * @param {Service} service
 * @param {ServiceParts} parts
 */
export function serviceCard(service, parts) {
  const { serviceId, label, paused, standing } = service;
  const { isArrival, product, productName, deciding } = parts;
  const heading = `service-${serviceId}`;
  const lozenge = paused ? { tone: "", words: "Paused" } : LOZENGES[standing];
  return html`<li
    class="card service ${isArrival ? "is-arrival" : ""}"
    data-service=${serviceId}
    data-arrival=${isArrival ? "" : nothing}
    tabindex="-1"
    aria-labelledby=${heading}
  >
    ${isArrival ? html`<p class="arrival">You were sent here to decide about this tool.</p>` : nothing}
    <div class="title">
      <h3 id=${heading}><bdi>${label}</bdi></h3>
      <span class="lozenge ${lozenge.tone}">${lozenge.words}</span>
    </div>
    <p role="status">${sayStanding(service)}</p>
    ${deciding?.shown ? changedMeanwhile() : nothing}
    <p class="subtle">What it may do:</p>
    ${requestsView(service, deciding?.shown ?? null, product, productName)}
    ${factsView(service, deciding?.shown ?? null)}
    <p class="field-error" role="alert">
      ${deciding?.error && !deciding.shown ? sayError(deciding) : nothing}
    </p>
    ${decisionView(service, parts)}
  </li>`;
}

/** @param {Service} service */
function sayStanding({ standing, decidedAt, paused }) {
  if (paused)
    return "An admin has paused this tool: it can do nothing for anybody. What you decide counts when it goes on.";
  const when = decidedAt ? html` on ${moment(decidedAt)}` : nothing;
  switch (standing) {
    case "undecided":
      return "It can do nothing for you until you agree.";
    case "changed":
      return html`It may do something else now than what you agreed to${when}. It can do nothing for you until
      you agree again.`;
    case "given":
      return "An admin gave consent for everybody. You can withdraw it for yourself.";
    case "agreed":
      return html`You agreed${when}.`;
    case "withdrawn":
      return html`You withdrew your consent${when}.`;
  }
}

function changedMeanwhile() {
  return html`<div tabindex="-1" data-changed>
    ${message({
      tone: "warning",
      title: "An admin has just changed what it may do",
      text: "You have agreed to nothing yet. Read what it may do now, and decide again.",
    })}
  </div>`;
}

/** @param {Deciding} deciding */
function sayError({ error }) {
  const { title, text } = explain(error);
  return `${title}. ${text}`;
}

/**
 * @param {Service} service
 * @param {Service | null} before What was shown before, where that is something else.
 */
function factsView({ purposes, maxTokenAgeSeconds, lastActedAt, calls }, before) {
  const acts = purposes.includes("act");
  const isNewAge = before !== null && before.maxTokenAgeSeconds !== maxTokenAgeSeconds;
  return html`<dl class="facts">
    ${
      acts
        ? html`<div>
            <dt>For how long</dt>
            <dd>
              Up to ${sayDuration(maxTokenAgeSeconds)} after you sign in to
              Access${isNewAge ? html` <span class="lozenge warning">New</span>` : nothing}
            </dd>
          </div>`
        : nothing
    }
    <div>
      <dt>${acts ? "Last acted for you" : "Last used"}</dt>
      <dd>
        ${
          // Whoever installs the app again starts to count again; the list of what was done goes further back.
          lastActedAt
            ? html`${moment(lastActedAt)}, ${sayTimes(calls)} since the app was installed`
            : "Not since the app was installed"
        }
      </dd>
    </div>
  </dl>`;
}

/** @param {number} calls */
function sayTimes(calls) {
  return calls === 1 ? "once" : `${calls.toLocaleString("en-GB")} times`;
}

/**
 * The first button stays the same for all standings, so that the focus stays on it.
 *
 * @param {Service} service
 * @param {ServiceParts} parts
 */
function decisionView(service, { actions, deciding }) {
  const { standing } = service;
  const isAllowed = standing === "agreed" || standing === "given";
  const agree = {
    label: withName(standing === "changed" ? "Agree again" : "Agree", service),
    busyLabel: "Agreeing …",
    kind: /** @type {const} */ ("primary"),
    isBusy: isUnderWay(deciding, "agree"),
    onClick: () => void actions.agree(service),
  };
  const withdraw = {
    label: withName("Withdraw consent", service),
    busyLabel: "Withdrawing …",
    isBusy: isUnderWay(deciding, "withdraw"),
    onClick: () => void actions.withdraw(service),
  };
  return html`<div class="actions" @click=${IGNORE_DOUBLE_CLICKS}>
    ${button(isAllowed ? withdraw : agree)} ${standing === "changed" ? button(withdraw) : nothing}
  </div>`;
}

/**
 * @param {Deciding | null} deciding
 * @param {Deciding["kind"]} kind
 */
function isUnderWay(deciding, kind) {
  return deciding !== null && deciding.isBusy && deciding.kind === kind;
}

/**
 * @param {string} words
 * @param {Service} service
 */
function withName(words, { label }) {
  return html`${words}<span class="visually-hidden"> for <bdi>${label}</bdi></span>`;
}
