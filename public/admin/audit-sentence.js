import { sayRefusal } from "../refusal-words.js";
import { joinWords } from "./join-words.js";
import { sayCount } from "./say-count.js";
import { asValues, saySettingsChange } from "./settings-change-words.js";

/** @import { Values } from "./settings-change-words.js" */
/** @import { AuditAction, AuditEvent } from "../types.js" */

/** @typedef {string | { readonly accountId: string } | { readonly email: string } | { readonly code: string }} Part Words, or what others chose. */

/**
 * What one can look for, in the words of the list.
 *
 * @type {Readonly<Record<AuditAction, string>>}
 */
export const ACTIONS = {
  "settings.changed": "Settings changed",
  "settings.taken_over": "Taken over from the Connect app",
  "link.created": "Linked",
  "link.replaced": "Link replaced",
  "link.removed": "Unlinked",
  "link.restored": "Unlinking undone",
  "link.confirmed": "Link confirmed",
  "link_attempt.failed": "Too many wrong codes",
  "consent.given": "Consent given",
  "consent.withdrawn": "Consent withdrawn",
  "consents.removed": "Consents ended",
  "service.acted": "Acted for a person",
  "assertion.issued": "Vouched for a person",
  "service_key.created": "Service key created",
  "service_key.removed": "Service key removed",
  "assertion_keys.rotated": "Assertion keys replaced",
  "tenant.installed": "App installed",
  "tenant.enabled": "App enabled",
  "tenant.disabled": "App disabled",
  "tenant.uninstalled": "App uninstalled",
};

/**
 * Who did what, as a sentence in parts.
 *
 * @param {AuditEvent} event
 * @returns {Part[]}
 */
export function describeEvent(event) {
  const who = nameActor(event);
  const before = asValues(event.before);
  const after = asValues(event.after);
  switch (event.action) {
    case "settings.changed":
      return [who, ` ${saySettingsChange(before, after)}.`];
    case "settings.taken_over":
      return [who, ` let this app take over from the Connect app: ${sayHeritage(after)}.`];
    case "link.created":
      return [who, " linked ", identity(after), ...ofWhom(event, after, " to the account of "), "."];
    case "link.replaced":
      return [
        who,
        " linked ",
        identity(after),
        " again",
        ...ofWhom(event, after, ", to the account of "),
        ".",
      ];
    case "link.removed":
      return isHolder(event.actor)
        ? [
            "The holder of ",
            identity(before),
            " unlinked it",
            ...ofWhom(event, before, " from the account of "),
            " in the linking window.",
          ]
        : [who, " unlinked ", identity(before), ...ofWhom(event, before, " from the account of "), "."];
    case "link.restored":
      return [
        who,
        " linked ",
        identity(after),
        " again",
        ...ofWhom(event, after, " to the account of "),
        ", undoing an unlink.",
      ];
    case "link_attempt.failed":
      return [
        "Linking was stopped after five wrong codes for ",
        event.target ? { accountId: event.target.id } : "somebody",
        ".",
      ];
    case "link.confirmed":
      return [who, " confirmed the link with ", identity(after), "."];
    case "consent.given":
      return [who, ` agreed that ${nameService(after)} may act for them.`];
    case "consent.withdrawn":
      return [who, ` no longer lets ${nameService(before)} act for them.`];
    case "consents.removed":
      return [`${sayPeople(before)} agreed to ${nameService(before)} ended with what it was trusted for.`];
    case "service.acted":
      return describeDeed(event, after);
    case "assertion.issued":
      return [who, ` was vouched for to ${nameService(after)}.`];
    case "service_key.created":
      return [who, ` made a key for ${nameService(after)}, ending in ${String(after["hint"])}.`];
    case "service_key.removed":
      return [who, ` removed the key of ${nameService(before)} that ended in ${String(before["hint"])}.`];
    case "assertion_keys.rotated":
      return [who, " replaced the keys of assertions."];
    case "tenant.installed":
      return [who, event.before === null ? " installed the app." : " installed the app again."];
    case "tenant.uninstalled":
      return [who, " uninstalled the app."];
    case "tenant.enabled":
      return [who, " enabled the app."];
    case "tenant.disabled":
      return [who, " disabled the app."];
    default:
      return [who, ": ", event.action, "."];
  }
}

/**
 * Everybody an event speaks of.
 *
 * @param {AuditEvent} event
 */
export function listAccounts(event) {
  return describeEvent(event).flatMap((part) =>
    typeof part === "object" && "accountId" in part ? [part.accountId] : [],
  );
}

/**
 * @param {AuditEvent} event
 * @returns {Part}
 */
function nameActor({ actor: { type, accountId } }) {
  if (accountId !== null) return { accountId };
  if (type === "host") return "Atlassian";
  if (type === "service") return "A service";
  return type === "system" ? "The app" : "Somebody";
}

/**
 * Somebody else's account is named; one's own goes without saying.
 *
 * @param {AuditEvent} event
 * @param {Values} values
 * @param {string} words
 * @returns {Part[]}
 */
function ofWhom({ actor }, { accountId }, words) {
  return typeof accountId === "string" && accountId !== actor.accountId ? [words, { accountId }] : [];
}

/**
 * Without a key, whoever holds the person's token may have been it (security rule 17).
 *
 * @param {AuditEvent} event
 * @param {Values} call
 * @returns {Part[]}
 */
function describeDeed({ actor: { accountId } }, call) {
  const { by, method, path } = call;
  return [
    by === "key" ? nameService(call) : `Somebody with a token for ${nameService(call)}`,
    " acted for ",
    accountId === null ? "somebody" : { accountId },
    ": ",
    { code: `${String(method)} ${String(path)}` },
    ` ${sayOutcome(call)}.`,
  ];
}

/** @param {Values} call */
function sayOutcome({ status, code }) {
  if (code === "caller_left" && status === null) return "went without an answer: the caller had left";
  if (code === "caller_left")
    return `was answered with ${String(status)}, but the caller left before the end`;
  return typeof code === "string" ? `failed. ${sayRefusal(code)}` : `was answered with ${String(status)}`;
}

/** @param {Values} values */
function nameService({ label }) {
  return typeof label === "string" ? `“${label}”` : "a service";
}

/** @param {Values} values */
function sayHeritage({ services, links }) {
  return joinWords([
    sayCount(Number(services), "service", "services"),
    sayCount(Number(links), "link", "links"),
  ]);
}

/** @param {Values} values */
function sayPeople({ count }) {
  return count === 1 ? "What 1 person had" : `What ${String(count)} people had`;
}

/**
 * Whoever removes a link in the linking window is known by their Access identity only.
 *
 * @param {AuditEvent["actor"]} actor
 */
function isHolder({ type, accountId }) {
  return type === "user" && accountId === null;
}

/**
 * @param {Values} values
 * @returns {Part}
 */
function identity({ email }) {
  return typeof email === "string" ? { email } : "an Access identity";
}
