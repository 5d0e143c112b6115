import { REQUEST_PRESETS } from "../public/request-presets.js";
import type { RequestPattern } from "../src/services/settings.js";

/** What an admin allows in Jira by ticking this one. */
export function getPresetRequests(id: string): readonly RequestPattern[] {
  const preset = REQUEST_PRESETS.jira.find((each) => each.id === id);
  if (!preset) throw new Error(`There is no preset ${id}.`);
  return preset.requests;
}
