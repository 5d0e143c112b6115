/**
 * What the linking window and the page that opened it say to each other. Both are of the app's own origin; each side
 * checks that, and the window it talks to, and the attempt (security rule 8).
 *
 * @typedef {{ readonly type: typeof CODE, readonly attempt: string, readonly code: string }} CodeMessage
 * @typedef {{ readonly type: typeof DECLINED, readonly attempt: string }} DeclinedMessage
 * @typedef {{ readonly type: typeof RECEIVED, readonly attempt: string }} ReceivedMessage
 * @typedef {{ readonly type: typeof OUTCOME, readonly attempt: string, readonly outcome: Outcome }} OutcomeMessage
 * @typedef {{ readonly kind: "linked" } | { readonly kind: "unknown" } | Refusal} Outcome
 *
 * @typedef {object} Refusal Why nothing was linked, in words.
 * @property {"refused"} kind
 * @property {string} title
 * @property {string} text
 */

/** The linking window hands over its code. */
export const CODE = "access-link/code";
/** Somebody looked at both sides in the linking window, and doesn't want to link them. */
export const DECLINED = "access-link/declined";
/** The page has it: there will be an outcome, and nothing to type. */
export const RECEIVED = "access-link/received";
/** Linked, or why not; unknown when the app gave no answer. */
export const OUTCOME = "access-link/outcome";

/**
 * Hands on what one window says about one attempt, and nothing else.
 *
 * @param {string} attempt
 * @param {() => WindowProxy | null} getSender
 * @param {(message: Readonly<Record<string, unknown>>) => void} onMessage
 * @returns {() => void} Stops listening.
 */
export function listenTo(attempt, getSender, onMessage) {
  /** @param {MessageEvent<unknown>} event */
  const listener = ({ origin, source, data }) => {
    if (origin !== location.origin || source === null || source !== getSender()) return;
    if (typeof data !== "object" || data === null) return;
    const message = /** @type {Readonly<Record<string, unknown>>} */ (data);
    if (message["attempt"] === attempt) onMessage(message);
  };
  window.addEventListener("message", listener);
  return () => window.removeEventListener("message", listener);
}

/**
 * @param {WindowProxy} receiver
 * @param {CodeMessage | DeclinedMessage | ReceivedMessage | OutcomeMessage} message
 */
export function tell(receiver, message) {
  // Never to whatever else may be shown there by now.
  receiver.postMessage(message, location.origin);
}
