import type { ProblemCode } from "../errors.js";
import type { Problem } from "./problem-response.js";

/** A refusal in the words of the person in the linking window: what happened, and what to do next. */
export interface PopupAdvice {
  readonly title: string;
  readonly what: string;
  readonly next: string;
  /** On the button that opens the window once more; null where that can't help. */
  readonly retryLabel: string | null;
  /** Shows what the token says of itself, for an admin to compare. */
  readonly showsSight: boolean;
  /** Another Access identity may be the way out. */
  readonly offersSignOut: boolean;
  readonly nothingChanged: boolean;
}

type Words = Pick<PopupAdvice, "title" | "what" | "next"> & Partial<PopupAdvice>;

const START_AGAIN = "start again on the Cloudflare Access page in Jira or Confluence";
const TRY_AGAIN = "Try again";

export function advise(problem: Problem, protectedPath: string): PopupAdvice {
  const words = WORDS[problem.code]?.(problem, protectedPath) ?? {
    title: problem.title,
    what: problem.detail,
    next: `Close this window and ${START_AGAIN}.`,
  };
  return { retryLabel: null, showsSight: false, offersSignOut: false, nothingChanged: true, ...words };
}

const UNTRUSTED: Words = {
  title: "Your Access sign-in isn’t trusted here",
  what: "What Cloudflare Access says about you doesn’t match what an admin entered in this app.",
  next: "Show this window to an admin of Jira or Confluence. The team domain and the AUD tag in the app’s settings must be the ones that your sign-in comes from.",
  showsSight: true,
  offersSignOut: true,
};

const TROUBLE_ELSEWHERE = {
  next: "Try again in a minute. If it stays like this, tell an admin of Jira or Confluence.",
  retryLabel: TRY_AGAIN,
};

const WORDS: Partial<Record<ProblemCode, (problem: Problem, protectedPath: string) => Words>> = {
  access_jwt_missing: (_problem, protectedPath) => ({
    title: "Cloudflare Access isn’t in front of this window",
    what: "This window learns from Cloudflare Access who you are, but you came here without passing through it.",
    next: `Tell an admin of Jira or Confluence: ${protectedPath} isn’t behind Access yet, or its policy is Bypass. The app’s page in the administration checks this.`,
    retryLabel: TRY_AGAIN,
  }),
  access_jwt_untrusted: () => UNTRUSTED,
  access_jwt_malformed: () => UNTRUSTED,
  access_jwt_expired: () => ({
    title: "Your Access session has ended",
    what: "Cloudflare Access vouches for you only for a while, and that time is over.",
    next: "Sign in again. You come back to this window, and can go on.",
    retryLabel: "Sign in again",
  }),
  service_token: () => ({
    title: "A service token can’t be linked",
    what: "Access let you in with the credentials of a machine, and a machine has no account to link.",
    next: `Sign in to Access as yourself, then ${START_AGAIN}.`,
    offersSignOut: true,
  }),
  email_domain_not_allowed: () => ({
    title: "This e-mail address can’t be linked here",
    what: "An admin allows only certain e-mail domains, and yours isn’t one of them.",
    next: `Sign out of Access, then ${START_AGAIN} with your company address. Or ask an admin to allow your domain.`,
    offersSignOut: true,
  }),
  paused: () => ({
    title: "Linking is paused",
    what: "Nobody can link for now: an admin has paused the app, or has still to confirm that it moved. Links that there are stay.",
    next: `You have done nothing wrong. Ask an admin of Jira or Confluence when it goes on; then ${START_AGAIN}.`,
  }),
  purpose_not_allowed: () => ({
    title: "Linking isn’t set up for this window",
    what: "An admin hasn’t set up linking yet, or has chosen another Access application for it than the one you came through.",
    next: "Show this window to an admin of Jira or Confluence. In the app’s settings, the service with this AUD tag needs the purpose “link”.",
    showsSight: true,
  }),
  attempt_expired: () => ({
    title: "This attempt to link is over",
    what: "It began more than five minutes ago, was used, had too many wrong codes, or was continued with another Access identity.",
    next: `If you have just typed the code, look at the page in Jira or Confluence: you may be linked already. If you aren’t, close this window and ${START_AGAIN}.`,
    offersSignOut: true,
    nothingChanged: false,
  }),
  browser_not_allowed: () => ({
    title: "Start in Jira or Confluence",
    what: "This address works only when the app’s own page opens it, and it was opened from somewhere else.",
    next: "If you want to link, open the Cloudflare Access page in Jira or Confluence and start there. If somebody sent you this address, close the window: they want their account to be taken for yours.",
  }),
  rate_limited: ({ detail }) => ({
    title: "Too many tries",
    what: "This was tried more often than is allowed in so short a time.",
    next: detail,
    retryLabel: TRY_AGAIN,
  }),
  keys_unavailable: () => ({
    title: "Your sign-in can’t be checked right now",
    what: "The app can’t get the keys of your Access team from Cloudflare, so it can neither trust your sign-in nor refuse it.",
    ...TROUBLE_ELSEWHERE,
  }),
  store_unavailable: ({ title }) => ({
    title,
    what: "The app can’t save anything at the moment.",
    ...TROUBLE_ELSEWHERE,
  }),
  upstream_failed: ({ title }) => ({
    title,
    what: "The app asked whose account this is, and got no usable answer.",
    ...TROUBLE_ELSEWHERE,
  }),
  upstream_timeout: ({ title }) => ({
    title,
    what: "The app asked whose account this is, and got no answer in time.",
    ...TROUBLE_ELSEWHERE,
  }),
  internal_error: ({ title }) => ({
    title,
    what: "It is a fault of the app, not of yours.",
    next: "Try again. If it happens again, give the reference below to whoever runs the app.",
    retryLabel: TRY_AGAIN,
    nothingChanged: false,
  }),
};
