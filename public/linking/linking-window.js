import { CODE, DECLINED, listenTo } from "./linking-messages.js";

/** @import { LinkAttempt } from "../types.js" */

const WIDTH = 560;
const HEIGHT = 760;
const LOOKS_EVERY_MS = 500;
/** As long as it takes to sign in, and to read what the window says. */
const SILENT_AFTER_MS = 60_000;
/** An attempt that would end sooner or later than this was measured by a clock that is wrong. */
const BELIEVABLE_MS = { least: 60_000, most: 3_600_000 };

/**
 * Opened in the click itself, while browsers still allow it; where it leads is known later.
 *
 * @returns {WindowProxy | null} Null when it was blocked.
 */
export function openBlankWindow() {
  const opened = openWindow("");
  // Nobody looks at an empty window for long without wondering.
  if (opened) opened.document.body.textContent = "Opening …";
  return opened;
}

/** @param {string} url */
export function openWindow(url) {
  const left = Math.max(0, window.screenX + (window.outerWidth - WIDTH) / 2);
  const top = Math.max(0, window.screenY + (window.outerHeight - HEIGHT) / 2);
  return window.open(url, "_blank", `popup,width=${WIDTH},height=${HEIGHT},left=${left},top=${top}`);
}

/**
 * @typedef {object} WindowEvents
 * @property {(code: string) => void} onCode
 * @property {() => void} onDeclined
 * @property {() => void} onClosed Again and again. A sign-in page that cuts the window off makes it look closed, too.
 * @property {() => void} onSilence
 * @property {() => void} onExpiry
 */

/**
 * Watches the linking window of one attempt.
 *
 * @param {LinkAttempt} attempt
 * @param {() => WindowProxy | null} getWindow
 * @param {WindowEvents} events
 * @returns {() => void} Stops watching.
 */
export function watchWindow(
  { id, expiresAt },
  getWindow,
  { onCode, onDeclined, onClosed, onSilence, onExpiry },
) {
  const stopListening = listenTo(id, getWindow, ({ type, code }) => {
    if (type === CODE && typeof code === "string") onCode(code);
    if (type === DECLINED) onDeclined();
  });
  const look = setInterval(() => {
    if (getWindow()?.closed) onClosed();
  }, LOOKS_EVERY_MS);
  const silence = setTimeout(onSilence, SILENT_AFTER_MS);
  const expiry = startExpiry(expiresAt, onExpiry);
  return () => {
    stopListening();
    clearInterval(look);
    clearTimeout(silence);
    clearTimeout(expiry);
  };
}

/**
 * Only a courtesy, which the app doesn't depend on: it knows by itself when an attempt is over.
 *
 * @param {string} expiresAt
 * @param {() => void} onExpiry
 */
function startExpiry(expiresAt, onExpiry) {
  const lastsMs = Date.parse(expiresAt) - Date.now();
  const isBelievable = lastsMs >= BELIEVABLE_MS.least && lastsMs <= BELIEVABLE_MS.most;
  return isBelievable ? setTimeout(onExpiry, lastsMs) : undefined;
}
