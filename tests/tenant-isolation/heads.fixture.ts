import type { Caller } from "./known.fixture.js";
import type { Run } from "./run.fixture.js";

const OF_MEMBERS = ["/api/v1/me", "/api/v1/me/activity"] as const;
const OF_ADMINS = [
  ...["/api/v1/settings", "/api/v1/settings/predecessor", "/api/v1/services"],
  ...["/api/v1/links", "/api/v1/audit"],
] as const;
export const HEADS = [...OF_MEMBERS, ...OF_ADMINS];

/** Refused to whom the whole would be refused. */
export async function askForHead(run: Run, caller: Caller, path: (typeof HEADS)[number]): Promise<void> {
  const reply = await run.stage.ask(caller, "HEAD", path);
  const { model } = run;
  const isOfMembers = OF_MEMBERS.some((each) => each === path);
  run.expectHead(reply, isOfMembers ? model.refuseUser(caller) : model.refuseAdmin(caller));
}
