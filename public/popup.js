import { offerButtons } from "./popup/popup-buttons.js";
import { claim } from "./popup/popup-claim.js";
import { groupCode } from "./popup/popup-code.js";
import { handOver } from "./popup/popup-handover.js";
import { show } from "./popup/popup-steps.js";

/** @import { Refusal } from "./linking/linking-messages.js" */
/** @import { ProblemCode } from "./types.js" */

/** Long enough to read one word. */
const CLOSES_AFTER_MS = 2_500;
/**
 * What is as true for the next look as for the next click: the page that says it says it best.
 *
 * @type {ReadonlySet<ProblemCode>}
 */
const SAID_BY_THE_PAGE = new Set([
  "access_jwt_missing",
  "access_jwt_malformed",
  "access_jwt_expired",
  "access_jwt_untrusted",
  "service_token",
  "email_domain_not_allowed",
  "paused",
  "purpose_not_allowed",
  "attempt_expired",
]);

offerButtons();
groupCode();

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-tied=true]"));
/** @type {unknown} */
const openedBy = window.opener;
const opener = /** @type {WindowProxy | null} */ (openedBy);
// Without an opener the form is sent as it is, and the answer is the page with the code to type.
if (form && opener) linkThroughOpener(form, opener);
else if (form) announceTypedCode(form);

/** @param {HTMLFormElement} form */
function announceTypedCode(form) {
  const button = findSubmitButton(form);
  button.textContent = button.dataset["typedLabel"] ?? "";
}

/** @param {HTMLFormElement} form */
function findSubmitButton(form) {
  return /** @type {HTMLButtonElement} */ (form.querySelector("button[type=submit]"));
}

/**
 * @param {HTMLFormElement} form
 * @param {WindowProxy} opener
 */
function linkThroughOpener(form, opener) {
  const button = findSubmitButton(form);
  const declineButton = /** @type {HTMLButtonElement} */ (form.querySelector("[data-decline]"));
  const label = button.textContent;
  const trouble = /** @type {HTMLElement} */ (form.querySelector("[data-trouble]"));
  let isBusy = false;
  setBusy(false);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    trouble.replaceChildren();
    if (!(await link())) setBusy(false);
  });

  /** False when it may be tried again here. */
  async function link() {
    const claimed = await claim();
    if (claimed.kind === "session_ended") return show("signed-out");
    if (claimed.kind === "no_answer") {
      return complain("The app can’t be reached. Nothing was linked. Check your connection and try again.");
    }
    if (claimed.kind === "refused") {
      if (!SAID_BY_THE_PAGE.has(claimed.code)) return complain(`${claimed.text} Nothing was linked.`);
      location.reload();
      return true;
    }
    if (claimed.kind === "no_code") return askForTypedCode();
    const handover = handOver(opener, form.dataset["attempt"] ?? "", claimed.code);
    if (!(await handover.acknowledged)) return askForTypedCode();
    const outcome = await handover.outcome;
    if (outcome.kind === "linked") return showLinked();
    return outcome.kind === "refused" ? showRefusal(outcome) : show("unanswered");
  }

  /** The page with the code to type is the one that there is without a script. */
  function askForTypedCode() {
    const typed = document.createElement("input");
    typed.type = "hidden";
    typed.name = "typed";
    typed.value = "true";
    form.append(typed);
    form.submit();
    return true;
  }

  /** @param {string} text */
  function complain(text) {
    const line = document.createElement("p");
    line.className = "message error";
    line.textContent = text;
    trouble.replaceChildren(line);
    return false;
  }

  /** @param {boolean} busy */
  function setBusy(busy) {
    isBusy = busy;
    // The code may be on its way already.
    declineButton.hidden = busy;
    button.setAttribute("aria-disabled", String(busy));
    button.textContent = busy ? (button.dataset["busyLabel"] ?? label) : label;
  }
}

function showLinked() {
  show("linked");
  setTimeout(() => window.close(), CLOSES_AFTER_MS);
  return true;
}

/** @param {Refusal} refusal */
function showRefusal({ title, text }) {
  const step = show("refused");
  const heading = document.querySelector("[data-step=refused] [data-title]");
  const paragraph = document.querySelector("[data-step=refused] [data-text]");
  if (heading) heading.textContent = title;
  if (paragraph) paragraph.textContent = text;
  return step;
}
