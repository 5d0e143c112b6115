import { CODE, listenTo, OUTCOME, RECEIVED, tell } from "../linking/linking-messages.js";

/** @import { Outcome } from "../linking/linking-messages.js" */

const ACKNOWLEDGED_WITHIN_MS = 1_000;
const OUTCOME_WITHIN_MS = 45_000;
/** @type {Outcome} */
const UNKNOWN = { kind: "unknown" };

/**
 * Hands the code to the page that opened this window.
 *
 * @param {WindowProxy} opener
 * @param {string} attempt
 * @param {string} code
 */
export function handOver(opener, attempt, code) {
  /** @type {(value: true) => void} */
  let acknowledge;
  /** @type {(outcome: Outcome) => void} */
  let conclude;
  const acknowledged = new Promise((/** @type {(value: true) => void} */ resolve) => (acknowledge = resolve));
  const outcome = new Promise((/** @type {(outcome: Outcome) => void} */ resolve) => (conclude = resolve));
  listenTo(
    attempt,
    () => opener,
    (message) => {
      if (message["type"] === RECEIVED) acknowledge(true);
      if (message["type"] === OUTCOME) conclude(readOutcome(message["outcome"]));
    },
  );
  tell(opener, { type: CODE, attempt, code });
  return {
    /** False when nobody listens: then the code has to be typed. */
    acknowledged: within(ACKNOWLEDGED_WITHIN_MS, acknowledged, false),
    outcome: within(OUTCOME_WITHIN_MS, outcome, UNKNOWN),
  };
}

/**
 * @param {unknown} sent
 * @returns {Outcome}
 */
function readOutcome(sent) {
  const { kind, title, text } = /** @type {Readonly<Record<string, unknown>>} */ (sent ?? {});
  if (kind === "linked") return { kind };
  return kind === "refused" ? { kind, title: String(title), text: String(text) } : UNKNOWN;
}

/**
 * @template Value, Fallback
 * @param {number} milliseconds
 * @param {Promise<Value>} promise
 * @param {Fallback} fallback
 * @returns {Promise<Value | Fallback>}
 */
function within(milliseconds, promise, fallback) {
  return Promise.race([
    promise,
    new Promise((/** @type {(value: Fallback) => void} */ resolve) =>
      setTimeout(() => resolve(fallback), milliseconds),
    ),
  ]);
}
