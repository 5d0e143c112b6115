import { ApiError } from "../errors.js";
import { explainLinking } from "./linking-explain.js";
import { button, message } from "../parts.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { Linking, LinkingState } from "./linking.js" */

/**
 * The button that links, and below it whatever there is to say and to type on the way.
 *
 * @param {Linking} linking
 * @param {{ readonly product: string, readonly label: string, readonly isPrimary?: boolean }} options
 */
export function linkingView(linking, { product, label, isPrimary = true }) {
  const { state } = linking;
  const isUnderWay = ["blocked", "waiting", "finishing"].includes(state.phase);
  return html`<div class="linking">
    <div class="actions">
      ${mainButton(linking, label, isPrimary)}
      ${state.phase === "waiting" && !isStuck(state) ? startAgainButton(linking) : nothing}
      ${isUnderWay && state.phase !== "finishing" ? cancelButton(linking) : nothing}
    </div>
    ${progress(linking, product)} ${isUnderWay && state.phase !== "blocked" ? codeForm(linking) : nothing}
  </div>`;
}

/**
 * One button for all phases, so that the focus stays where it is.
 *
 * @param {Linking} linking
 * @param {string} label
 * @param {boolean} isPrimary
 */
function mainButton({ state, place, start, startAgain, openAgain }, label, isPrimary) {
  const kind = isPrimary ? "primary" : "";
  switch (state.phase) {
    case "opening":
      return button({ label, busyLabel: "Opening …", isBusy: true, kind });
    case "blocked":
      return button({ label: `Open the ${place}`, kind: "primary", onClick: openAgain });
    case "waiting":
      if (place === "tab" && !state.error) return button({ label: "Open the tab again", onClick: openAgain });
      return isStuck(state)
        ? button({ label: "Start again", onClick: startAgain })
        : button({ label: "Show the window", kind, onClick: start });
    case "finishing":
      return button({ label, busyLabel: "Linking …", isBusy: true, kind });
    case "failed":
      return button({ label: "Start again", kind, onClick: start });
    default:
      return button({ label, kind, onClick: start });
  }
}

/**
 * The first window is of no use any more.
 *
 * @param {LinkingState} state
 */
function isStuck({ isClosed, error }) {
  return isClosed || Boolean(error);
}

/** @param {Linking} linking */
function startAgainButton({ startAgain }) {
  return html`<button type="button" @click=${goingAway(() => void startAgain())}>Start again</button>`;
}

/** @param {Linking} linking */
function cancelButton({ cancel }) {
  return html`<button type="button" @click=${goingAway(cancel)}>Cancel</button>`;
}

/**
 * For a button that goes away with its click, and leaves the focus to the one that stays.
 *
 * @param {() => void} act
 */
function goingAway(act) {
  return (/** @type {MouseEvent} */ { currentTarget }) => {
    const mainButton = findMainButton(/** @type {HTMLElement} */ (currentTarget));
    act();
    mainButton?.focus();
  };
}

/** @param {HTMLElement} part */
function findMainButton(part) {
  return /** @type {HTMLElement | null} */ (part.closest(".linking")?.querySelector("button"));
}

/**
 * @param {Linking} linking
 * @param {string} product
 */
function progress({ state, place }, product) {
  switch (state.phase) {
    case "blocked":
      if (place === "tab") {
        return message({
          tone: "warning",
          title: "The tab didn’t open",
          text: `Open it with the button above. If ${product} asks whether you want to leave it, say yes.`,
        });
      }
      return message({
        tone: "warning",
        title: "Your browser kept the window from opening",
        text: "Open it with the button above. To have it open by itself next time, allow pop-up windows for this site.",
      });
    case "waiting":
    case "finishing":
      if (state.error) return failure(state.error);
      if (state.isClosed) {
        return message({
          tone: "warning",
          title: "The window is closed, or can’t reach this page any more",
          text: "If you still have it, go on there: at the end it shows a code, which you type here. If not, start again.",
        });
      }
      if (place === "tab") {
        return message({
          tone: "info",
          title: "Go on in the tab that opened",
          text: "Sign in to Cloudflare Access if it asks you to. The tab warns of addresses that others send; you opened this one yourself. Confirm there, then type here the code that it shows.",
        });
      }
      return message({
        tone: "info",
        title: "Go on in the window that opened",
        text: state.isSilent
          ? "Nothing has come from it yet. If it shows a code, type it here."
          : "Sign in to Cloudflare Access if it asks you to, and confirm there. Then this page goes on by itself.",
      });
    case "done":
      return message({
        tone: "success",
        title: "Linked",
        text: html`<strong><bdi>${state.link?.email}</bdi></strong> in Cloudflare Access is now you in
          ${product}.`,
      });
    case "declined":
      return message({ tone: "info", title: "Nothing was linked." });
    case "failed":
      return failure(state.error);
    default:
      return nothing;
  }
}

/** @param {unknown} error */
function failure(error) {
  const { title, text } = explainLinking(error);
  const reference =
    error instanceof ApiError
      ? html`<small>Reference <code>${error.problem.reference}</code></small>`
      : nothing;
  return message({ tone: "error", title, text: html`${text} ${reference}` });
}

/** @param {Linking} linking */
function codeForm({ state, place, useCode }) {
  const isBusy = state.phase === "finishing";
  const isWanted = state.isClosed || state.isSilent || place === "tab";
  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    event.preventDefault();
    if (isBusy) return;
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const input = /** @type {HTMLInputElement} */ (form.elements.namedItem("code"));
    const mainButton = findMainButton(form);
    await useCode(input.value);
    if (!input.isConnected) mainButton?.focus();
    else if (input.getAttribute("aria-invalid") === "true") input.select();
  };
  return html`<form class="code-form ${isWanted ? "is-wanted" : ""}" novalidate @submit=${submit}>
    <label for="typed-code">Code from the ${place}</label>
    <div class="code-row">
      <input
        type="text"
        id="typed-code"
        name="code"
        maxlength="40"
        autocomplete="off"
        autocapitalize="characters"
        spellcheck="false"
        aria-describedby="typed-code-error typed-code-hint"
        aria-invalid=${state.codeError ? "true" : "false"}
      />
      ${button({ label: "Link with this code", type: "submit", isBusy, kind: state.isClosed || place === "tab" ? "primary" : "" })}
    </div>
    <p class="field-error" id="typed-code-error" role="alert">${state.codeError}</p>
    <p class="hint" id="typed-code-hint">
      ${isWanted ? `Ten letters and digits, as the ${place} shows them.` : "Only if the window shows you one."}
    </p>
  </form>`;
}
