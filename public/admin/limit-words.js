import { DEFAULT_MAX_TOKEN_AGE_SECONDS } from "./limits-draft.js";
import { sayDuration } from "../say-duration.js";

/** @import { Limits } from "../types.js" */

/** @type {Readonly<Record<Limits["consent"], string>>} */
export const CONSENTS = {
  required: "Each person is asked",
  given: "An admin agrees for everybody",
};

/** @param {number | null} seconds null for what counts unless somebody says otherwise */
export function sayTokenAge(seconds) {
  return sayDuration(seconds ?? DEFAULT_MAX_TOKEN_AGE_SECONDS);
}

/** @param {number | null} seconds */
export function sayLiveCheck(seconds) {
  return seconds === null ? "Off" : `Every ${sayDuration(seconds).replace(/^1 /, "")}`;
}
