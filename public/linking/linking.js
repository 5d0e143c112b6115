import { ApiError } from "../errors.js";
import { AttemptOverError, explainLinking } from "./linking-explain.js";
import { OUTCOME, RECEIVED, tell } from "./linking-messages.js";
import { openBlankWindow, openWindow, watchWindow } from "./linking-window.js";

/** @import { Api } from "../api.js" */
/** @import { Outcome } from "./linking-messages.js" */
/** @import { Host, Link, LinkAttempt, ProblemCode } from "../types.js" */

/**
 * Where linking stands.
 *
 * @typedef {object} LinkingState
 * @property {"idle" | "opening" | "blocked" | "waiting" | "finishing" | "done" | "declined" | "failed"} phase
 * @property {boolean} isClosed While waiting: the window was closed, or a sign-in page has cut it off from this page.
 * @property {boolean} isSilent While waiting: nothing has come from the window for long.
 * @property {string} codeError What is wrong with the typed code; empty when nothing is.
 * @property {unknown} error Why it failed, or what interrupted it.
 * @property {Link | null} link What was linked.
 */

/** @typedef {ReturnType<typeof createLinking>} Linking */

/**
 * Whatever else the app refuses may go well with the next try of the same attempt.
 *
 * @type {ReadonlySet<ProblemCode>}
 */
export const ENDS_ATTEMPT = new Set([
  "attempt_expired",
  "already_linked",
  "email_domain_not_allowed",
  "purpose_not_allowed",
  "paused",
  "account_inactive",
]);

/** @type {LinkingState} */
const IDLE = { phase: "idle", isClosed: false, isSilent: false, codeError: "", error: null, link: null };

const NOTHING = () => undefined;

/** @typedef {typeof BROWSER_WINDOWS} Windows What linking does with windows; tests have their own. */
const BROWSER_WINDOWS = { openBlankWindow, openWindow, watchWindow, tell };

/**
 * One person links one Access identity: the window, its message or the code somebody types, and the outcome. Where pages
 * may open no windows it is a tab, which can't say anything to the page: its code is always typed.
 *
 * @param {Pick<Api, "beginLink" | "finishLink">} api
 * @param {Pick<Host, "openTab" | "appUrl">} host
 * @param {(state: LinkingState) => void} onChange
 * @param {Windows} [windows]
 */
export function createLinking(api, { openTab, appUrl }, onChange, windows = BROWSER_WINDOWS) {
  const place = openTab ? "tab" : "window";
  let state = IDLE;
  /** @type {WindowProxy | null} */
  let popup = null;
  /** @type {LinkAttempt | null} */
  let attempt = null;
  /** The window has handed over its code and wants to know what came of it. */
  let awaitsOutcome = false;
  /**
   * Everything that waits for something; called when the waiting is over.
   *
   * @type {() => void}
   */
  let stopWaiting = NOTHING;
  /** Counts attempts, so that an answer to one that was cancelled is dropped. */
  let round = 0;

  /** @param {Partial<LinkingState>} changes */
  function update(changes) {
    state = { ...state, ...changes };
    onChange(state);
  }

  /** To be called in a click, or browsers block the window. A second click brings the first window back. */
  async function start() {
    if (state.phase === "finishing") return;
    if (isUnderWay() && popup && !popup.closed) {
      popup.focus();
      return;
    }
    reset();
    const thisRound = round;
    const opened = openTab ? null : windows.openBlankWindow();
    popup = opened;
    update({ ...IDLE, phase: "opening" });
    try {
      const begun = await api.beginLink();
      if (thisRound !== round) return;
      attempt = begun;
      waitFor(begun);
      if (openTab) {
        await showTab();
        return;
      }
      if (!opened) {
        update({ phase: "blocked" });
        return;
      }
      // By this page's own hand: the start of an attempt answers to nobody else (security rule 6).
      if (!opened.closed) opened.location.href = begun.url;
      update({ phase: "waiting" });
    } catch (error) {
      if (thisRound === round) fail(error);
    }
  }

  async function startAgain() {
    popup?.close();
    reset();
    await start();
  }

  /**
   * Past the start of an attempt, which answers to windows of this page alone: so the tab warns whoever looks. The code may be
   * typed at once, for the product needn't say when a tab is open.
   */
  async function showTab() {
    if (!openTab || !attempt) return;
    const thisRound = round;
    const isFirst = state.phase !== "waiting";
    update({ phase: "waiting" });
    const isOpen = await openTab(new URL(`access/link/${encodeURIComponent(attempt.id)}`, appUrl));
    if (!isOpen && isFirst && thisRound === round && state.phase === "waiting") update({ phase: "blocked" });
  }

  /** The button for a window that didn't open the first time, and for a tab that was closed. */
  function openAgain() {
    if (openTab) {
      void showTab();
      return;
    }
    if (!attempt) return;
    popup = windows.openWindow(attempt.url);
    if (popup) update({ phase: "waiting" });
  }

  /** @param {string} typed */
  async function useCode(typed) {
    if (state.phase !== "waiting" && state.phase !== "blocked") return;
    if (typed.trim() === "") {
      update({ codeError: `Type the code that the ${place} shows.` });
      return;
    }
    if (await redeem(typed)) popup?.close();
  }

  function cancel() {
    popup?.close();
    reset();
    update(IDLE);
  }

  /**
   * @param {string} code
   * @returns {Promise<boolean>} Whether that linked.
   */
  async function redeem(code) {
    if (!attempt) return false;
    const thisRound = round;
    const phaseBefore = state.phase;
    update({ phase: "finishing", codeError: "", error: null });
    try {
      const link = await api.finishLink(attempt.id, code);
      if (thisRound !== round) return false;
      conclude({ kind: "linked" });
      stopWaiting();
      update({ phase: "done", link });
      return true;
    } catch (error) {
      if (thisRound !== round) return false;
      conclude(
        error instanceof ApiError ? { kind: "refused", ...explainLinking(error) } : { kind: "unknown" },
      );
      if (isWrongCode(error)) {
        update({
          phase: phaseBefore,
          codeError: `This isn’t the code that the ${place} shows now. If it comes from an earlier ${place}, use the newest one or start again.`,
        });
      } else if (error instanceof ApiError && ENDS_ATTEMPT.has(error.problem.code)) fail(error);
      else update({ phase: phaseBefore, error });
      return false;
    }
  }

  /** @param {LinkAttempt} begun */
  function waitFor(begun) {
    stopWaiting = windows.watchWindow(begun, () => popup, {
      onCode: (code) => void receive(begun.id, code),
      onDeclined: () => state.phase === "waiting" && decline(),
      onClosed: () => state.phase === "waiting" && !state.isClosed && update({ isClosed: true }),
      onSilence: () => state.phase === "waiting" && update({ isSilent: true }),
      // What is on its way to the app may still be in time.
      onExpiry: () => state.phase !== "finishing" && fail(new AttemptOverError()),
    });
  }

  /**
   * @param {string} id
   * @param {string} code
   */
  async function receive(id, code) {
    // A code that comes while another is under way stays unanswered: its window then shows one to type.
    if (!popup || state.phase !== "waiting") return;
    windows.tell(popup, { type: RECEIVED, attempt: id });
    awaitsOutcome = true;
    await redeem(code);
  }

  /** The window closes itself, having asked whoever sits in front of it. */
  function decline() {
    reset();
    update({ ...IDLE, phase: "declined" });
  }

  /** @param {Outcome} outcome */
  function conclude(outcome) {
    if (!awaitsOutcome || !popup || !attempt) return;
    awaitsOutcome = false;
    windows.tell(popup, { type: OUTCOME, attempt: attempt.id, outcome });
  }

  /** @param {unknown} error */
  function fail(error) {
    // A window that never got anywhere says nothing; one that is somewhere says it better itself.
    if (state.phase === "opening") popup?.close();
    reset();
    update({ ...IDLE, phase: "failed", error });
  }

  function reset() {
    round += 1;
    stopWaiting();
    stopWaiting = NOTHING;
    awaitsOutcome = false;
    attempt = null;
    popup = null;
  }

  function isUnderWay() {
    return state.phase === "opening" || state.phase === "waiting" || state.phase === "blocked";
  }

  return {
    get state() {
      return state;
    },
    /** Where somebody links. */
    place,
    start,
    startAgain,
    openAgain,
    useCode,
    cancel,
  };
}

/** @param {unknown} error */
function isWrongCode(error) {
  return error instanceof ApiError && error.problem.code === "validation_failed";
}
