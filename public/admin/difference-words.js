import { CONSENTS, sayLiveCheck, sayTokenAge } from "./limit-words.js";
import { sayPurposes } from "./purposes-view.js";
import { formatRequestLines } from "./typed-lines.js";

/** @import { Difference, ServiceField, Side } from "./settings-merge.js" */
/** @import { Limits, ServiceDraft } from "../types.js" */

/** @type {Readonly<Record<ServiceField, string>>} */
const SERVICE_WORDS = {
  label: "name",
  audience: "AUD tag",
  purposes: "what it may be used for",
  paused: "pause",
  requests: "what it may do",
  maxTokenAgeSeconds: "age of the token from Access",
  ipAddresses: "where it may call from",
  liveCheckSeconds: "live check",
  consent: "consent",
};

/**
 * What a difference is about.
 *
 * @param {Difference} difference
 * @returns {string}
 */
export function sayWhat({ field, subject }) {
  switch (field) {
    case "teamDomain":
      return "Team domain";
    case "matching":
      return "How identities are matched";
    case "emailDomain":
      return `E-mail domain ${subject ?? ""}`;
    case "service":
      return `Service “${subject ?? ""}”`;
    case "paused":
      if (subject === null) return "Pause";
  }
  return `Service “${subject ?? ""}”: ${SERVICE_WORDS[field]}`;
}

/**
 * How it is on one side.
 *
 * @param {Difference} difference
 * @param {Side} side
 * @returns {string}
 */
export function saySide(difference, side) {
  const value = difference[side];
  switch (difference.field) {
    case "paused":
      return value ? "Paused" : "Not paused";
    case "matching":
      return value === "email" ? "By e-mail, too" : "By proof only";
    case "emailDomain":
      return value ? "Allowed" : "Not in the list";
    case "service":
      return value ? describeService(/** @type {ServiceDraft} */ (value)) : sayMissing(difference);
    case "purposes":
      return `May be used for: ${sayPurposes(/** @type {ServiceDraft["purposes"]} */ (value))}`;
    case "requests":
      return formatRequestLines(/** @type {Limits["requests"]} */ (value)) || "Nothing";
    case "maxTokenAgeSeconds":
      return sayTokenAge(/** @type {number | null} */ (value));
    case "ipAddresses":
      return /** @type {readonly string[]} */ (value).join("\n") || "From any address";
    case "liveCheckSeconds":
      return sayLiveCheck(/** @type {number | null} */ (value));
    case "consent":
      return CONSENTS[/** @type {Limits["consent"]} */ (value)];
    case "teamDomain":
      return typeof value === "string" ? value : "No team domain";
    case "audience":
      return String(value) || "No AUD tag";
    case "label":
      return String(value) || "No name";
  }
}

/** @param {Difference} difference */
function sayMissing({ base }) {
  return base ? "This service is removed" : "Without this service";
}

/** @param {ServiceDraft} service */
function describeService({ label, audience, purposes }) {
  return `${label}, AUD tag ${audience}, may be used for: ${sayPurposes(purposes)}`;
}
