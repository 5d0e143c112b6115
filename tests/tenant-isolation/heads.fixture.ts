import type { Caller } from "./model.fixture.js";
import type { Run } from "./run.fixture.js";

export const HEADS = ["/api/v1/settings", "/api/v1/links", "/api/v1/audit", "/api/v1/me"] as const;

/** Refused to whom the whole would be refused. */
export async function askForHead(run: Run, caller: Caller, path: (typeof HEADS)[number]): Promise<void> {
  const reply = await run.stage.ask(caller, "HEAD", path);
  const { model } = run;
  run.expectHead(reply, path === "/api/v1/me" ? model.refuseUser(caller) : model.refuseAdmin(caller));
}
