/** @import { AuditAction, AuditEvent, Settings } from "../types.js" */

/** @typedef {string | { readonly accountId: string } | { readonly email: string }} Part Words, or what others chose. */

/** @typedef {Readonly<Record<string, unknown>>} Values */

/** @type {Readonly<Record<Exclude<keyof Settings, "paused" | "version">, string>>} */
const SETTINGS_WORDS = {
  teamDomain: "the team domain",
  services: "the trusted services",
  allowedEmailDomains: "the allowed e-mail domains",
  matching: "how identities are matched",
};

/**
 * What one can look for, in the words of the list.
 *
 * @type {Readonly<Record<AuditAction, string>>}
 */
export const ACTIONS = {
  "settings.changed": "Settings changed",
  "link.created": "Linked",
  "link.replaced": "Link replaced",
  "link.removed": "Unlinked",
  "link.restored": "Unlinking undone",
  "link_attempt.failed": "Too many wrong codes",
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
      return [who, ` ${sayChange(before, after)}.`];
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
    case "tenant.installed":
      return [who, event.before === null ? " installed the app." : " installed the app again."];
    case "tenant.uninstalled":
      return [who, " uninstalled the app."];
    case "tenant.enabled":
      return [who, " enabled the app."];
    case "tenant.disabled":
      return [who, " disabled the app."];
    default:
      return [who, `: ${event.action}.`];
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
 * @param {Values} before
 * @param {Values} after
 */
function sayChange(before, after) {
  const isChanged = (/** @type {string} */ name) =>
    JSON.stringify(before[name]) !== JSON.stringify(after[name]);
  const changes = Object.entries(SETTINGS_WORDS).flatMap(([name, words]) => (isChanged(name) ? [words] : []));
  const changed = changes.length > 0 ? `changed ${joinWords(changes)}` : "";
  const paused = isChanged("paused") ? (after["paused"] ? "paused the app" : "resumed the app") : "";
  return [changed, paused].filter(Boolean).join(" and ") || "saved the settings unchanged";
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

/** @param {readonly string[]} words */
function joinWords(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/**
 * @param {unknown} value
 * @returns {Values}
 */
function asValues(value) {
  return typeof value === "object" && value !== null ? /** @type {Values} */ (value) : {};
}
