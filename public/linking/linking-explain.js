import { ApiError } from "../errors.js";
import { explain } from "../parts.js";

/** @import { ProblemCode } from "../types.js" */

/** The five minutes of an attempt have passed. */
export class AttemptOverError extends Error {}

/**
 * Why somebody isn't linked, in words for them: the page says it, and the linking window too.
 *
 * @param {unknown} error
 * @returns {{ title: string, text: string }}
 */
export function explainLinking(error) {
  if (error instanceof AttemptOverError) {
    return { title: "The five minutes are over", text: "Nothing was linked. Start again." };
  }
  const words = error instanceof ApiError ? WORDS[error.problem.code] : undefined;
  return words ?? explain(error);
}

/** @type {Readonly<Partial<Record<ProblemCode, { readonly title: string, readonly text: string }>>>} */
const WORDS = {
  attempt_expired: {
    title: "This attempt to link is over",
    text: "It took more than five minutes, or there were too many wrong codes, or an admin has just changed the settings. If you typed the right code a moment ago, load this page again: you may be linked already. If not, start again.",
  },
  already_linked: {
    title: "This Access identity is linked to another account",
    text: "One Access identity belongs to one account. If that other link is wrong or old, start again: what opens then says how to remove it.",
  },
  email_domain_not_allowed: {
    title: "This e-mail address can’t be linked here",
    text: "An admin allows only certain e-mail domains. Sign out of Access and start again with your company address, or ask an admin to allow your domain.",
  },
  paused: {
    title: "Linking is paused",
    text: "Nobody can link for now: an admin has paused the app, or has still to confirm that it moved. Links that there are stay. Ask an admin when it goes on, then start again.",
  },
  rate_limited: {
    title: "Too many tries",
    text: "You have started more often than is allowed in five minutes. Wait a few minutes, then start again.",
  },
};
