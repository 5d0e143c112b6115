import type { Frame } from "playwright-core";

import { AUDIENCES } from "../../sandbox/world-parts.js";

/** Enters the team and both Access applications on the admin page of a fresh installation. */
export async function passFirstRun(admin: Frame, teamDomain: string): Promise<void> {
  await admin.getByLabel("Team domain").fill(teamDomain);
  await admin.getByRole("button", { name: "Save and go on" }).click();
  await admin.getByLabel("AUD tag of this application").fill(AUDIENCES.app);
  await admin.getByLabel("Name of the tool").fill("Demo service");
  await admin.getByLabel("AUD tag of the tool").fill(AUDIENCES.demo);
  await admin.getByRole("button", { name: "Save and go on" }).click();
  await admin.getByText("The linking window is behind Access").waitFor();
  await admin.getByRole("button", { name: /^Finish/ }).click();
}
