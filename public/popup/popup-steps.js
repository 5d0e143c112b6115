/**
 * Shows one step of the linking window instead of the one before.
 *
 * @param {string} name
 */
export function show(name) {
  for (const step of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-step]"))) {
    step.hidden = step.dataset["step"] !== name;
    if (!step.hidden) step.querySelector("h1")?.focus();
  }
  return true;
}
