/** @import { ProblemCode } from "../types.js" */

/**
 * What came of the click. `session_ended` is Access' own no: the app never saw the click.
 *
 * @typedef {{ readonly kind: "code", readonly code: string }
 *   | { readonly kind: "no_code" }
 *   | { readonly kind: "session_ended" }
 *   | { readonly kind: "refused", readonly code: ProblemCode, readonly text: string }
 *   | { readonly kind: "no_answer" }} Claim
 */

const ANSWER_TIMEOUT_MS = 30_000;

/**
 * The click of the linking window: claims the attempt for whoever Access says is here.
 *
 * @returns {Promise<Claim>}
 */
export async function claim() {
  try {
    const response = await fetch(location.href, {
      method: "POST",
      // A login page can't be shown to a script: Access answers this header with a plain 401.
      headers: {
        accept: "application/json",
        "content-type": "application/json",
        "x-requested-with": "XMLHttpRequest",
      },
      body: JSON.stringify({ action: "link", typed: false }),
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    if (response.type === "opaqueredirect") return { kind: "session_ended" };
    return readClaim(response.ok, response.status, await response.json().catch(() => null));
  } catch {
    return { kind: "no_answer" };
  }
}

/**
 * @param {boolean} isOk
 * @param {number} status
 * @param {unknown} answer
 * @returns {Claim}
 */
function readClaim(isOk, status, answer) {
  const { code, detail } = /** @type {{ code?: unknown, detail?: unknown }} */ (answer ?? {});
  if (isOk) return typeof code === "string" ? { kind: "code", code } : { kind: "no_code" };
  if (typeof code === "string")
    return {
      kind: "refused",
      code: /** @type {ProblemCode} */ (code),
      text: typeof detail === "string" ? detail : "",
    };
  return status === 401 ? { kind: "session_ended" } : { kind: "no_answer" };
}
