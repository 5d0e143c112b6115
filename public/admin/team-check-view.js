import { note } from "./admin-parts.js";
import { explain } from "../parts.js";
import { html } from "../vendor/lit-html/lit-html.js";

/** @import { Task } from "./task.js" */
/** @import { TeamCheck } from "../types.js" */

/**
 * What Cloudflare answered when it was asked for the team's keys; until then, `offer`.
 *
 * @param {Task<TeamCheck>} task
 * @param {unknown} offer
 */
export function teamCheckView({ isBusy, result, error }, offer) {
  return html`<div role="status" class="result">
    ${
      isBusy
        ? html`<p class="subtle late">Asking Cloudflare for the team’s keys …</p>`
        : error
          ? note("error", explain(error).text)
          : result
            ? resultView(result)
            : offer
    }
  </div>`;
}

/** @param {TeamCheck} check */
function resultView({ ok, teamDomain, keyCount, milliseconds, problem }) {
  return ok
    ? note(
        "success",
        html`<strong>${teamDomain}</strong> answered with ${sayKeys(keyCount)} in ${milliseconds} ms.`,
      )
    : note("error", problem?.detail);
}

/** @param {number} count */
export function sayKeys(count) {
  return count === 1 ? "1 signing key" : `${count} signing keys`;
}
