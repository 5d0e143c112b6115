import { findTokenAgeError } from "./limits-draft.js";
import { formatRequest } from "./typed-lines.js";
import { isActingService, listSent, toDocument } from "./settings-draft.js";

/** @import { Draft } from "./settings-draft.js" */
/** @import { Problem, ServiceDraft, Settings } from "../types.js" */

/**
 * @typedef {object} PlacedError
 * @property {string | null} fieldId The input that it is about; null when there is none.
 * @property {string} label What the input is called.
 * @property {string} text
 */

export const TEAM_DOMAIN_FIELD = "team-domain";
export const EMAIL_DOMAINS_FIELD = "email-domains";

/** @type {Readonly<Record<string, string>>} */
const SERVICE_FIELDS = {
  label: "Name",
  audience: "AUD tag",
  purposes: "What it may be used for",
  requests: "Other requests",
  maxTokenAgeSeconds: "Hours",
  ipAddresses: "Addresses",
  liveCheckSeconds: "Live check",
  consent: "Consent",
};

/**
 * @param {string} key
 * @param {string} name of the service's fields or limits, such as audience or ipAddresses
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
    const [, index, name, item] = /^services\[(\d+)\]\.?(?:limits\.)?(\w*)(?:\[(\d+)\])?/.exec(field) ?? [];
    const sent = index === undefined ? undefined : listSent(draft)[Number(index)];
    if (sent) {
      const limits = toDocument(draft, base).services[Number(index)]?.limits ?? null;
      return placeServiceError(sent, name ?? "", quote(findEntered(limits, name, item), detail));
    }
    if (field === "teamDomain") return { fieldId: TEAM_DOMAIN_FIELD, label: "Team domain", text: detail };
    const [, domain] = /^allowedEmailDomains(?:\[(\d+)\])?/.exec(field) ?? [];
    if (field.startsWith("allowedEmailDomains")) {
      const entered = domain && toDocument(draft, base).allowedEmailDomains[Number(domain)];
      return { fieldId: EMAIL_DOMAINS_FIELD, label: "Allowed e-mail domains", text: quote(entered, detail) };
    }
    return { fieldId: null, label: field, text: detail };
  });
}

/**
 * What the form itself can tell before anything is sent.
 *
 * @param {Draft} draft
 * @returns {PlacedError[]}
 */
export function findDraftErrors(draft) {
  return listSent(draft)
    .filter(isActingService)
    .flatMap((service) => {
      const text = findTokenAgeError(service.limits);
      return text === null ? [] : [placeServiceError(service, "maxTokenAgeSeconds", text)];
    });
}

/**
 * The line of a list that an error is about.
 *
 * @param {ServiceDraft["limits"]} limits
 * @param {string | undefined} name
 * @param {string | undefined} item
 */
function findEntered(limits, name, item) {
  if (limits === null || item === undefined) return undefined;
  const request = name === "requests" ? limits.requests[Number(item)] : undefined;
  if (request) return formatRequest(request);
  return name === "ipAddresses" ? limits.ipAddresses[Number(item)] : undefined;
}

/**
 * @param {string | undefined} entered
 * @param {string} detail
 */
function quote(entered, detail) {
  return entered ? `“${entered}”: ${detail}` : detail;
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
