/** Shows the buttons that need a script. */
export function offerButtons() {
  for (const button of listButtons("close")) offer(button, () => closeWindow(button));
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
  const text = document.getElementById(button.dataset["copy"] ?? "")?.textContent ?? "";
  await navigator.clipboard.writeText(text);
  button.textContent = button.dataset["doneLabel"] ?? "";
}

/**
 * @param {string} name
 * @returns {NodeListOf<HTMLButtonElement>}
 */
function listButtons(name) {
  return document.querySelectorAll(`button[data-${name}]`);
}

/**
 * @param {HTMLButtonElement} button
 * @param {() => void} onClick
 */
function offer(button, onClick) {
  button.hidden = false;
  button.addEventListener("click", onClick);
}
