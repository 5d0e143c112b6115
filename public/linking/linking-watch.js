import { CODE, listenTo } from "./linking-messages.js";

const ATTEMPT_LASTS_MS = 300_000;
const LOOKS_EVERY_MS = 500;
/** As long as it takes to sign in, and to read what the window says. */
const SILENT_AFTER_MS = 60_000;

/**
 * @typedef {object} WindowEvents
 * @property {(code: string) => void} onCode
 * @property {() => void} onClosed Again and again. A sign-in page that cuts the window off makes it look closed, too.
 * @property {() => void} onSilence
 * @property {() => void} onExpiry
 */

/**
 * Watches the linking window of one attempt.
 *
 * @param {string} attempt
 * @param {() => WindowProxy | null} getWindow
 * @param {WindowEvents} events
 * @returns {() => void} Stops watching.
 */
export function watchWindow(attempt, getWindow, { onCode, onClosed, onSilence, onExpiry }) {
  const stopListening = listenTo(attempt, getWindow, ({ type, code }) => {
    if (type === CODE && typeof code === "string") onCode(code);
  });
  const look = setInterval(() => {
    if (getWindow()?.closed) onClosed();
  }, LOOKS_EVERY_MS);
  const silence = setTimeout(onSilence, SILENT_AFTER_MS);
  const expiry = setTimeout(onExpiry, ATTEMPT_LASTS_MS);
  return () => {
    stopListening();
    clearInterval(look);
    clearTimeout(silence);
    clearTimeout(expiry);
  };
}
