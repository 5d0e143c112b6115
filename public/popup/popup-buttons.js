import { DECLINED, tell } from "../linking/linking-messages.js";
import { show } from "./popup-steps.js";

/** Shows the buttons that need a script. */
export function offerButtons() {
  for (const button of listButtons("close")) offer(button, () => closeWindow(button));
  for (const button of listButtons("decline")) offer(button, () => decline(button));
  for (const button of listButtons("copy")) offer(button, () => void copy(button));
}

/** @param {HTMLButtonElement} button */
function closeWindow(button) {
  window.close();
  // Only a window that a script opened may be closed by one.
  button.replaceWith("You can close this window.");
}

/** @param {HTMLButtonElement} button */
async function copy(button) {
  const source = document.getElementById(button.dataset["copy"] ?? "");
  const trouble = document.querySelector("[data-copy-trouble]");
  if (!source || !trouble) return;
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
    button.textContent = button.dataset["doneLabel"] ?? "";
    trouble.textContent = "";
  } catch {
    window.getSelection()?.selectAllChildren(source);
    trouble.textContent =
      "Your browser didn’t let this page copy. The code is selected: copy it with the keyboard.";
  }
}

/**
 * @param {string} name
 * @returns {NodeListOf<HTMLButtonElement>}
 */
function listButtons(name) {
  return document.querySelectorAll(`button[data-${name}]`);
}

/** @param {HTMLButtonElement} button */
function decline(button) {
  /** @type {unknown} */
  const opener = window.opener;
  const attempt = button.dataset["decline"] ?? "";
  if (opener) tell(/** @type {WindowProxy} */ (opener), { type: DECLINED, attempt });
  window.close();
  // Only a window that a script opened may be closed by one.
  show("declined");
}

/**
 * @param {HTMLButtonElement} button
 * @param {() => void} onClick
 */
function offer(button, onClick) {
  button.hidden = false;
  button.addEventListener("click", onClick);
}
