import assert from "node:assert/strict";

import { ADA } from "./people.js";
import type { Stage } from "./stage.js";
import { SERVICES } from "./world.js";

/** Steps of the site's admin: from the descriptor to saved settings. */
export async function tellHowToInstall({ world, transcript }: Stage): Promise<void> {
  const { client } = world.parts;
  transcript.step(
    "The app describes itself",
    "Atlassian reads this document to learn the app's key, its pages and where to send events. Nothing in it is secret.",
  );
  const url = `${world.appUrl}/atlassian-connect.json`;
  (await client.send({ caller: "Anybody", method: "GET", url })).expect(200);

  transcript.step(
    "An admin installs the app in Jira",
    "Atlassian signs the event with its own key (RS256), which the app fetches by the token's kid. The token vouches for " +
      "the clientKey and the URL only, not for the body: so before the app lets this installation speak for the site, " +
      "it asks Jira at that address whether the new shared secret works there.",
  );
  await world.install("jira");

  transcript.step(
    "An admin installs it in Confluence",
    "The same app and the same site, and yet a second tenant: with its own secret, its own settings and its own links. " +
      "An admin of one product gains nothing in the other.",
  );
  await world.install("confluence");

  const admin = world.page(ADA);
  transcript.step(
    "The admin opens the app's page",
    "The page in Jira sends a context JWT: signed by Jira with this tenant's secret, it says who is looking. It doesn't say " +
      "that she is an admin. The app asks Jira for that.",
  );
  const fresh = await admin.getSettings();
  assert.equal(fresh.teamDomain, null, "Fresh settings should name no team.");

  transcript.step(
    "She tries the team domain",
    "The app fetches the team's public keys and says what it saw, so that a typing error shows now and not on Monday.",
  );
  const check = await admin.send("POST", "/api/v1/settings/check", { teamDomain: world.team.domain });
  const { ok, keyCount } = check.expect(200).body as { ok: boolean; keyCount: number };
  assert.ok(ok && keyCount === 2, "The check should find the team's two keys.");

  transcript.step(
    "She saves the team and two Access applications",
    "Only tokens of this team and for these audiences will count. One may link people: the app itself, whose /access/ paths " +
      "are behind Access. The other, the demo service, may ask who somebody is.",
  );
  const saved = await admin.saveSettings({ teamDomain: world.team.domain, services: SERVICES });
  assert.equal(saved.services.length, 2, "Both services should be saved.");
}
