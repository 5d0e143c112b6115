import { ADMIN_FIRST_RUN_STATES } from "./admin-first-run-states.fixture.js";
import { ADMIN_LISTS_STATES } from "./admin-lists-states.fixture.js";
import { ADMIN_PREDECESSOR_STATES } from "./admin-predecessor-states.fixture.js";
import { ADMIN_SERVICES_STATES } from "./admin-services-states.fixture.js";
import { ADMIN_SETTINGS_STATES } from "./admin-settings-states.fixture.js";
import type { State } from "./states.fixture.js";

export const ADMIN_STATES: readonly State[] = [
  ...ADMIN_FIRST_RUN_STATES,
  ...ADMIN_PREDECESSOR_STATES,
  ...ADMIN_SETTINGS_STATES,
  ...ADMIN_SERVICES_STATES,
  ...ADMIN_LISTS_STATES,
];
