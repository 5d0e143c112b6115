import { createLimitsDraft, NO_LIMITS, toLimits } from "./limits-draft.js";
import { splitLines } from "./typed-lines.js";

/** @import { LimitsDraft } from "./limits-draft.js" */
/** @import { ServiceDraft, Settings, SettingsDraft } from "../types.js" */

/** @typedef {ServiceDraft["purposes"][number]} Purpose */

/**
 * @typedef {object} DraftService A service as it stands in the form.
 * @property {string} key Names it on the page, where a new one has no id.
 * @property {string | null} id
 * @property {string} label
 * @property {string} audience
 * @property {readonly Purpose[]} purposes
 * @property {LimitsDraft} limits
 * @property {boolean} isRemoved Stays in the form, to be brought back until it is saved.
 * @property {boolean} isOptional Is left out while it has no AUD tag.
 */

/**
 * @typedef {object} Draft
 * @property {string} teamDomain
 * @property {readonly DraftService[]} services
 * @property {string} emailDomains One per line.
 */

let newServices = 0;

/**
 * What the form begins with.
 *
 * @param {SettingsDraft} settings
 * @returns {Draft}
 */
export function createDraft({ teamDomain, services, allowedEmailDomains }) {
  return {
    teamDomain: teamDomain ?? "",
    services: services.map(createDraftService),
    emailDomains: allowedEmailDomains.join("\n"),
  };
}

/**
 * @param {Partial<ServiceDraft & Pick<DraftService, "isOptional">>} service
 * @returns {DraftService}
 */
export function createDraftService({ id, label, audience, purposes, limits, isOptional }) {
  return {
    key: id ?? `new-${++newServices}`,
    id: id ?? null,
    label: label ?? "",
    audience: audience ?? "",
    purposes: purposes ?? [],
    limits: createLimitsDraft(limits ?? null),
    isRemoved: false,
    isOptional: isOptional ?? false,
  };
}

/**
 * What is sent: the form's values over the document that it began with, which keeps what the form doesn't show, such as
 * the limits of a service that may not act.
 *
 * @param {Draft} draft
 * @param {Settings} base
 * @returns {SettingsDraft}
 */
export function toDocument(draft, base) {
  return {
    ...base,
    teamDomain: draft.teamDomain.trim() || null,
    services: listSent(draft).map((service) => toService(service, base)),
    allowedEmailDomains: splitLines(draft.emailDomains),
  };
}

/**
 * @param {DraftService} service
 * @param {Settings} base
 * @returns {ServiceDraft}
 */
function toService({ id, label, audience, purposes, limits }, { services }) {
  const before = services.find((service) => service.id === id);
  const limitsBefore = before?.limits ?? null;
  return {
    ...(id !== null && { id }),
    label: label.trim(),
    audience: audience.trim(),
    purposes,
    limits: isActingService({ purposes })
      ? toLimits(limits, limitsBefore)
      : needsConsent({ purposes })
        ? { ...(limitsBefore ?? NO_LIMITS), consent: limits.consent }
        : limitsBefore,
    paused: before?.paused ?? false,
  };
}

/**
 * The services of the form that are sent, in the order in which they are.
 *
 * @param {Draft} draft
 */
export function listSent({ services }) {
  return services.filter(
    ({ isRemoved, isOptional, audience }) => !isRemoved && !(isOptional && audience.trim() === ""),
  );
}

/**
 * @param {Draft} draft
 * @param {Settings} base
 */
export function isDirty(draft, base) {
  return JSON.stringify(toDocument(draft, base)) !== JSON.stringify(toDocument(createDraft(base), base));
}

/** @param {Pick<ServiceDraft, "purposes">} service */
export function isLinkService({ purposes }) {
  return purposes.includes("link");
}

/**
 * Linking needs a team, and a service to link through.
 *
 * @param {Settings} settings
 */
export function isComplete({ teamDomain, services }) {
  return teamDomain !== null && services.some(isLinkService);
}

/** @param {Pick<ServiceDraft, "purposes">} service */
export function isActingService({ purposes }) {
  return purposes.includes("act");
}

/**
 * People are asked before a service acts for them, and before they are vouched for to it.
 *
 * @param {Pick<ServiceDraft, "purposes">} service
 */
export function needsConsent({ purposes }) {
  return purposes.includes("act") || purposes.includes("assert");
}
