import type { ProblemCode } from "../src/errors.js";
import { ACCESS_SCENES } from "./scenes-of-access.js";
import { ASSERTION_SCENES } from "./scenes-of-assertions.js";
import { ATLASSIAN_SCENES } from "./scenes-of-atlassian.js";
import { PERSON_SCENES } from "./scenes-of-people.js";
import { REQUEST_SCENES } from "./scenes-of-requests.js";
import { SETTINGS_SCENES } from "./scenes-of-settings.js";
import { SUCCESS_SCENES } from "./scenes-of-success.js";
import { TOKEN_SCENES } from "./scenes-of-tokens.js";
import type { Scene, SceneGroup } from "./scene.js";

/** All that a trusted service can meet, in the order in which the app looks at it, and what a page in Jira can that asks for an assertion. */
export const SCENE_GROUPS: readonly SceneGroup[] = [
  TOKEN_SCENES,
  SETTINGS_SCENES,
  PERSON_SCENES,
  ACCESS_SCENES,
  ATLASSIAN_SCENES,
  REQUEST_SCENES,
  ASSERTION_SCENES,
  SUCCESS_SCENES,
];

export const SCENES: readonly Scene[] = SCENE_GROUPS.flatMap(({ scenes }) => scenes);

const OF_PAGES = "Only the app's own pages, inside Jira or Confluence, make the calls that are refused so.";
const OF_LINKING = "Only somebody who links can meet it, in the linking window or on the account page.";

/** The other codes, and why no scene ends with them. */
export const NOT_PLAYED: Readonly<Partial<Record<ProblemCode, string>>> = {
  connect_jwt_missing: OF_PAGES,
  connect_jwt_invalid: OF_PAGES,
  connect_jwt_expired: OF_PAGES,
  forge_jwt_invalid: OF_PAGES,
  forge_jwt_expired: OF_PAGES,
  not_admin: OF_PAGES,
  version_conflict: OF_PAGES,
  too_large: "Bodies of services pass through, whatever their size; only the app's own pages are limited.",
  unsupported_media_type: OF_PAGES,
  already_linked: OF_LINKING,
  attempt_expired: OF_LINKING,
  metrics_token_invalid: "Only whoever reads the operator's metrics can meet it.",
  internal_error: "It would take a fault in the app.",
};
