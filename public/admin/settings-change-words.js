import { isSame } from "./is-same.js";
import { joinWords } from "./join-words.js";

/** @typedef {Readonly<Record<string, unknown>>} Values */

/** @type {Readonly<Record<string, string>>} */
const SETTINGS_WORDS = {
  teamDomain: "the team domain",
  allowedEmailDomains: "the allowed e-mail domains",
  matching: "how identities are matched",
};

/** @type {Readonly<Record<string, string>>} */
const SERVICE_WORDS = {
  label: "the name",
  audience: "the AUD tag",
  purposes: "the purposes",
};

/** @type {Readonly<Record<string, string>>} */
const LIMIT_WORDS = {
  requests: "the allowed requests",
  maxTokenAgeSeconds: "the age of tokens",
  ipAddresses: "the addresses",
  liveCheckSeconds: "the live check",
  consent: "the consent",
};

/**
 * What somebody did by saving: `changed the team domain, paused “Jenkins” and removed “Wiki”`.
 *
 * @param {Values} before
 * @param {Values} after
 */
export function saySettingsChange(before, after) {
  const deeds = [
    ...sayChanges(listChanges(SETTINGS_WORDS, before, after)),
    ...sayServices(listServices(before), listServices(after)),
    ...(isSame(before["paused"], after["paused"])
      ? []
      : [after["paused"] ? "paused the app" : "resumed the app"]),
  ];
  return joinWords(deeds) || "saved the settings unchanged";
}

/**
 * @param {readonly Values[]} before
 * @param {readonly Values[]} after
 */
function sayServices(before, after) {
  const findIn = (/** @type {readonly Values[]} */ services, /** @type {Values} */ { id }) =>
    services.find((service) => service["id"] === id);
  const deeds = [
    ...after.flatMap((service) => {
      const earlier = findIn(before, service);
      return earlier ? sayService(earlier, service) : [];
    }),
    ...sayNamed(
      "added",
      after.filter((service) => !findIn(before, service)),
    ),
    ...sayNamed(
      "removed",
      before.filter((service) => !findIn(after, service)),
    ),
  ];
  const isReordered = before.some(({ id }, index) => after[index]?.["id"] !== id);
  return deeds.length === 0 && isReordered ? ["changed the order of the trusted services"] : deeds;
}

/**
 * @param {string} verb
 * @param {readonly Values[]} services
 */
function sayNamed(verb, services) {
  return services.length > 0 ? [`${verb} ${joinWords(services.map(nameOf))}`] : [];
}

/**
 * @param {Values} before
 * @param {Values} after
 */
function sayService(before, after) {
  const changes = [
    ...listChanges(SERVICE_WORDS, before, after),
    ...listChanges(LIMIT_WORDS, asValues(before["limits"]), asValues(after["limits"])),
  ];
  const isPaused = after["paused"] === true;
  return [
    ...sayChanges(changes).map((words) => `${words} of ${nameOf(after)}`),
    ...((before["paused"] === true) === isPaused
      ? []
      : [`${isPaused ? "paused" : "resumed"} ${nameOf(after)}`]),
  ];
}

/**
 * @param {Readonly<Record<string, string>>} words
 * @param {Values} before
 * @param {Values} after
 */
function listChanges(words, before, after) {
  return Object.entries(words).flatMap(([name, word]) => (isEqual(before[name], after[name]) ? [] : [word]));
}

/** @param {readonly string[]} changes */
function sayChanges(changes) {
  return changes.length > 0 ? [`changed ${joinWords(changes)}`] : [];
}

/**
 * What was never entered is nothing, whether it is empty, null or absent.
 *
 * @param {unknown} one
 * @param {unknown} other
 */
function isEqual(one, other) {
  const isNothing = (/** @type {unknown} */ value) =>
    value === undefined || value === null || (Array.isArray(value) && value.length === 0);
  return (isNothing(one) && isNothing(other)) || isSame(one, other);
}

/** @param {Values} values */
function listServices({ services }) {
  return Array.isArray(services) ? services.map(asValues) : [];
}

/** @param {Values} service */
function nameOf({ label }) {
  return typeof label === "string" ? `“${label}”` : "a service";
}

/**
 * @param {unknown} value
 * @returns {Values}
 */
export function asValues(value) {
  return typeof value === "object" && value !== null ? /** @type {Values} */ (value) : {};
}
