import { listSent, toDocument } from "./settings-draft.js";

/** @import { Draft } from "./settings-draft.js" */
/** @import { Problem, Settings } from "../types.js" */

/**
 * @typedef {object} PlacedError
 * @property {string | null} fieldId The input that it is about; null when there is none.
 * @property {string} label What the input is called.
 * @property {string} text
 */

export const TEAM_DOMAIN_FIELD = "team-domain";
export const EMAIL_DOMAINS_FIELD = "email-domains";

/** @type {Readonly<Record<string, string>>} */
const SERVICE_FIELDS = { label: "Name", audience: "AUD tag", purposes: "What it may be used for" };

/**
 * @param {string} key
 * @param {string} name label, audience or purposes
 */
export function serviceFieldId(key, name) {
  return `service-${key}-${name}`;
}

/**
 * Finds the inputs that the API's complaints are about.
 *
 * @param {Pick<Problem, "errors">} problem
 * @param {Draft} draft as it was sent
 * @param {Settings} base
 * @returns {PlacedError[]}
 */
export function placeErrors({ errors = [] }, draft, base) {
  return errors.map(({ field, detail }) => {
    const [, service, name] = /^services\[(\d+)\]\.?(\w*)/.exec(field) ?? [];
    const sent = service === undefined ? undefined : listSent(draft)[Number(service)];
    if (sent) return placeServiceError(sent, name ?? "", detail);
    if (field === "teamDomain") return { fieldId: TEAM_DOMAIN_FIELD, label: "Team domain", text: detail };
    const [, domain] = /^allowedEmailDomains(?:\[(\d+)\])?/.exec(field) ?? [];
    if (field.startsWith("allowedEmailDomains")) {
      const entered = domain && toDocument(draft, base).allowedEmailDomains[Number(domain)];
      const text = entered ? `“${entered}”: ${detail}` : detail;
      return { fieldId: EMAIL_DOMAINS_FIELD, label: "Allowed e-mail domains", text };
    }
    return { fieldId: null, label: field, text: detail };
  });
}

/**
 * @param {Draft["services"][number]} service
 * @param {string} name
 * @param {string} detail
 */
function placeServiceError({ key, label }, name, detail) {
  const known = SERVICE_FIELDS[name];
  return {
    fieldId: serviceFieldId(key, known ? name : "label"),
    label: `${label.trim() || "New service"}, ${known ?? name}`,
    text: detail,
  };
}
