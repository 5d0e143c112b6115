import { render } from "../vendor/lit-html/lit-html.js";

/** @import { TemplateResult } from "../vendor/lit-html/lit-html.js" */

/**
 * What a page shows, and the one way to change it.
 *
 * @template {object} State
 * @typedef {object} Mounted
 * @property {State} state
 * @property {(changes: Partial<State>) => void} update
 */

/**
 * Draws what `view` makes of the state, now and after every change.
 *
 * @template {object} State
 * @param {HTMLElement} root
 * @param {State} initial
 * @param {(state: State) => TemplateResult} view
 * @returns {Mounted<State>}
 */
export function mount(root, initial, view) {
  const page = {
    state: initial,
    /** @param {Partial<State>} changes */
    update(changes) {
      page.state = { ...page.state, ...changes };
      render(view(page.state), root);
    },
  };
  root.replaceChildren();
  page.update({});
  return page;
}
