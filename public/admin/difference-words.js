/** @import { Difference, Side } from "./settings-merge.js" */
/** @import { Purpose } from "./settings-draft.js" */
/** @import { ServiceDraft } from "../types.js" */

/** @type {Readonly<Record<Purpose, string>>} */
const PURPOSES = { link: "Link", identify: "Identify", act: "Act", assert: "Assert" };

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
    case "paused":
      return "Pause";
    case "emailDomain":
      return `E-mail domain ${subject ?? ""}`;
    case "service":
      return `Service “${subject ?? ""}”`;
    case "label":
      return `Service “${subject ?? ""}”: name`;
    case "audience":
      return `Service “${subject ?? ""}”: AUD tag`;
    case "purposes":
      return `Service “${subject ?? ""}”: what it may be used for`;
    case "limits":
      return `Service “${subject ?? ""}”: limits`;
  }
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
    case "limits":
      return value === null ? "No limits" : JSON.stringify(value, null, 2);
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

/** @param {ServiceDraft["purposes"]} purposes */
function sayPurposes(purposes) {
  return purposes.map((purpose) => PURPOSES[purpose]).join(", ") || "nothing";
}
