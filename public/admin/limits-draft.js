import {
  hasPreset,
  isSameRequests,
  joinRequests,
  REQUEST_PRESETS,
  subtractRequests,
} from "../request-presets.js";
import { formatRequestLines, parseRequestLines, splitLines } from "./typed-lines.js";

/** @import { Limits } from "../types.js" */

/**
 * @typedef {object} LimitsDraft Limits as they stand in the form.
 * @property {readonly string[]} presets Ids of those that are ticked.
 * @property {string} otherRequests One per line.
 * @property {number | null} maxTokenAgeSeconds
 * @property {string | null} maxTokenAgeHours As typed, where none of the choices is taken.
 * @property {string} ipAddresses One per line.
 * @property {number | null} liveCheckSeconds
 * @property {Limits["consent"]} consent
 */

/** @type {Limits} As the app takes limits that were never entered. */
export const NO_LIMITS = {
  requests: [],
  maxTokenAgeSeconds: null,
  ipAddresses: [],
  consent: "required",
  liveCheckSeconds: null,
};

export const DEFAULT_MAX_TOKEN_AGE_SECONDS = 86_400;
export const TOKEN_AGE_CHOICES = [1, 4, 8, 24, 168].map((hours) => hours * 3600);
const SHORTEST_TOKEN_AGE_SECONDS = 60;
const LONGEST_TOKEN_AGE_SECONDS = 31 * 86_400;

const PRESETS = Object.values(REQUEST_PRESETS).flat();

/**
 * @param {Limits | null} limits
 * @returns {LimitsDraft}
 */
export function createLimitsDraft(limits) {
  const { requests, maxTokenAgeSeconds, ipAddresses, liveCheckSeconds, consent } = limits ?? NO_LIMITS;
  const presets = PRESETS.filter((preset) => hasPreset(preset, requests));
  const others = subtractRequests(
    requests,
    presets.flatMap((preset) => preset.requests),
  );
  const isChoice = maxTokenAgeSeconds === null || TOKEN_AGE_CHOICES.includes(maxTokenAgeSeconds);
  return {
    presets: presets.map(({ id }) => id),
    otherRequests: formatRequestLines(others),
    maxTokenAgeSeconds,
    maxTokenAgeHours: isChoice ? null : String(Number((maxTokenAgeSeconds / 3600).toFixed(4))),
    ipAddresses: ipAddresses.join("\n"),
    liveCheckSeconds,
    consent,
  };
}

/**
 * What is sent. Requests that allow what `before` allows are sent as they were written there: people agreed to those.
 *
 * @param {LimitsDraft} draft
 * @param {Limits | null} before
 * @returns {Limits}
 */
export function toLimits(draft, before) {
  const requests = toRequests(draft);
  return {
    requests: before && isSameRequests(requests, before.requests) ? before.requests : requests,
    maxTokenAgeSeconds: toTokenAge(draft),
    ipAddresses: splitLines(draft.ipAddresses),
    consent: draft.consent,
    liveCheckSeconds: draft.liveCheckSeconds,
  };
}

/**
 * Lines without a method come last, for the app to say what they lack.
 *
 * @param {LimitsDraft} draft
 */
export function toRequests({ presets, otherRequests }) {
  const ticked = PRESETS.filter(({ id }) => presets.includes(id));
  const others = parseRequestLines(otherRequests);
  return [
    ...joinRequests(...ticked.map((preset) => preset.requests), others),
    ...others.filter(({ methods }) => methods.length === 0),
  ];
}

/**
 * What is wrong with the hours that were typed; the app speaks of seconds.
 *
 * @param {LimitsDraft} draft
 * @returns {string | null}
 */
export function findTokenAgeError(draft) {
  if (draft.maxTokenAgeHours === null) return null;
  const seconds = toTokenAge(draft) ?? 0;
  const isFine = seconds >= SHORTEST_TOKEN_AGE_SECONDS && seconds <= LONGEST_TOKEN_AGE_SECONDS;
  return isFine ? null : "Enter how many hours, such as 12 or 0.5; 744 hours (31 days) at most.";
}

/**
 * Zero where hours can't be read.
 *
 * @param {LimitsDraft} draft
 */
function toTokenAge({ maxTokenAgeSeconds, maxTokenAgeHours }) {
  if (maxTokenAgeHours === null) return maxTokenAgeSeconds;
  const seconds = Math.round(Number(maxTokenAgeHours.trim().replace(",", ".")) * 3600);
  return Number.isFinite(seconds) ? seconds : 0;
}
