import { alignServices } from "./align-services.js";
import { isSame } from "./is-same.js";
import { NO_LIMITS } from "./limits-draft.js";
import { isSameRequests } from "../request-presets.js";
import { tidySettings } from "./tidy-settings.js";

/** @import { Slot } from "./align-services.js" */
/** @import { RequestPattern } from "../request-presets.js" */
/** @import { Limits, ServiceDraft, Settings, SettingsDraft } from "../types.js" */

/** @typedef {"mine" | "theirs"} Side */

/**
 * @typedef {object} Versions The same document, three times.
 * @property {Settings} base What I began with.
 * @property {SettingsDraft} mine
 * @property {Settings} theirs What was saved meanwhile.
 */

/**
 * @typedef {object} Difference Something that is one way in mine and another way in theirs.
 * @property {string} key
 * @property {"teamDomain" | "emailDomain" | "matching" | "paused" | "service" | ServiceField} field
 * @property {string | null} subject The e-mail domain, or the name of the service; null for what is of the whole app.
 * @property {unknown} base
 * @property {unknown} mine
 * @property {unknown} theirs
 * @property {"me" | "them" | "both"} changedBy
 * @property {Side} suggestion
 */

/** @typedef {"label" | "audience" | "purposes" | "paused" | keyof Limits} ServiceField */

/**
 * @param {Versions} versions
 * @returns {Difference[]}
 */
export function findDifferences(versions) {
  /** @type {Difference[]} */
  const differences = [];
  merge(versions, (difference) => {
    differences.push(difference);
    return difference.suggestion;
  });
  return differences;
}

/**
 * The document in which every difference is decided: as chosen, or as suggested. Saved on top of theirs.
 *
 * @param {Versions} versions
 * @param {ReadonlyMap<string, Side>} choices by the key of the difference
 * @returns {SettingsDraft}
 */
export function mergeSettings(versions, choices) {
  return merge(versions, ({ key, suggestion }) => choices.get(key) ?? suggestion);
}

/**
 * @param {Versions} versions
 * @param {(difference: Difference) => Side} decide
 * @returns {SettingsDraft}
 */
function merge(versions, decide) {
  const { base, theirs } = versions;
  const mine = tidySettings(versions.mine);

  /**
   * @template T
   * @param {Pick<Difference, "key" | "field" | "subject">} what
   * @param {{ readonly base: T | null, readonly mine: T, readonly theirs: T }} values
   * @param {(one: T, other: T | null) => boolean} [isEqual]
   * @returns {T}
   */
  function settle(what, values, isEqual = isSame) {
    if (isEqual(values.mine, values.theirs)) return values.theirs;
    const isMyChange = !isEqual(values.mine, values.base);
    const isTheirChange = !isEqual(values.theirs, values.base);
    /** @type {Side} */
    const suggestion = isMyChange ? "mine" : "theirs";
    const changedBy = isMyChange && isTheirChange ? "both" : isMyChange ? "me" : "them";
    return values[decide({ ...what, ...values, changedBy, suggestion })];
  }

  /**
   * @template {"teamDomain" | "matching" | "paused"} F
   * @param {F} field
   */
  function settleField(field) {
    const values = { base: base[field], mine: mine[field], theirs: theirs[field] };
    return settle({ key: field, field, subject: null }, values);
  }

  /** @param {string} domain */
  function isDomainAllowed(domain) {
    return settle(
      { key: `emailDomain ${domain}`, field: "emailDomain", subject: domain },
      {
        base: base.allowedEmailDomains.includes(domain),
        mine: mine.allowedEmailDomains.includes(domain),
        theirs: theirs.allowedEmailDomains.includes(domain),
      },
    );
  }

  /**
   * @param {Slot} slot
   * @returns {ServiceDraft[]} none, or the one
   */
  function settleService(slot) {
    const subject = (slot.theirs ?? slot.mine ?? slot.base)?.label ?? "";
    if (!slot.mine || !slot.theirs) {
      const key = `service ${slot.key}`;
      const settled = settle({ key, field: "service", subject }, slot);
      // What they removed has lost its id: kept, it is a new service.
      return settled ? [settled === slot.mine ? withoutId(settled) : settled] : [];
    }
    const { base, mine, theirs } = slot;
    /**
     * @template {"label" | "audience" | "purposes" | "paused"} F
     * @param {F} field
     */
    const settleServiceField = (field) =>
      settle(
        { key: `service ${slot.key} ${field}`, field, subject },
        { base: base?.[field] ?? null, mine: mine[field], theirs: theirs[field] },
      );
    /**
     * Limits that nobody entered are the usual ones.
     *
     * @template {keyof Limits} F
     * @param {F} field
     * @param {(one: Limits[F], other: Limits[F] | null) => boolean} [isEqual]
     */
    const settleLimit = (field, isEqual) => {
      const limitOf = (/** @type {ServiceDraft} */ { limits }) => (limits ?? NO_LIMITS)[field];
      return settle(
        { key: `service ${slot.key} ${field}`, field, subject },
        { base: base && limitOf(base), mine: limitOf(mine), theirs: limitOf(theirs) },
        isEqual,
      );
    };
    const limits = {
      requests: settleLimit("requests", allowSame),
      maxTokenAgeSeconds: settleLimit("maxTokenAgeSeconds"),
      ipAddresses: settleLimit("ipAddresses"),
      consent: settleLimit("consent"),
      liveCheckSeconds: settleLimit("liveCheckSeconds"),
    };
    return [
      {
        ...theirs,
        label: settleServiceField("label"),
        audience: settleServiceField("audience"),
        purposes: settleServiceField("purposes"),
        limits: isSame(limits, theirs.limits ?? NO_LIMITS) ? theirs.limits : limits,
        paused: settleServiceField("paused"),
      },
    ];
  }

  const domains = new Set([...theirs.allowedEmailDomains, ...mine.allowedEmailDomains]);
  return {
    teamDomain: settleField("teamDomain"),
    services: alignServices({ base, mine, theirs }).flatMap(settleService),
    allowedEmailDomains: [...domains].filter(isDomainAllowed),
    matching: settleField("matching"),
    paused: settleField("paused"),
    version: theirs.version,
  };
}

/**
 * @param {ServiceDraft} service
 * @returns {ServiceDraft}
 */
function withoutId({ label, audience, purposes, limits, paused }) {
  return { label, audience, purposes, limits, paused };
}

/**
 * @param {readonly RequestPattern[]} one
 * @param {readonly RequestPattern[] | null} other
 */
function allowSame(one, other) {
  return other !== null && isSameRequests(one, other);
}
