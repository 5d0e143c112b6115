import assert from "node:assert/strict";

import { readTypedCode } from "./app-page.js";
import type { ForgeSite } from "./forge-site.js";
import { ADA, GRACE } from "./people.js";
import type { Stage } from "./stage.js";
import { AUDIENCES } from "./world-parts.js";
import { SERVICES } from "./world.js";

const [APP, DEMO] = SERVICES;
const ISSUE = "/rest/api/3/issue/SAND-1";
/** The demo service may read issues here, and people are asked before. */
const SERVICES_THERE = [
  APP,
  {
    ...DEMO,
    purposes: ["identify", "act"],
    limits: { requests: [{ methods: ["GET"], path: "/rest/api/3/issue/*" }] },
  },
] as const;

/** Steps on a site into which the same app came through Forge: what is different there, and what isn't. */
export async function tellOfForge(stage: Stage, site: ForgeSite): Promise<void> {
  await install(stage, site);
  await link(stage, site);
  await act(stage, site);
}

async function install({ world, transcript }: Stage, site: ForgeSite): Promise<void> {
  transcript.step(
    "On another site, the same app comes in through Forge",
    "Its pages are Atlassian's to serve there, and there is no shared secret: Forge signs every call, and the token says which " +
      "installation it is about. The installation brings a token of the app's own, and a trigger a fresh one every hour.",
  );
  (await site.install()).expect(204);
  transcript.say(
    "Ada looks at the settings, and enters the team and both services. Whether she administers Jira, the app asks Jira with her " +
      "own token, which came with her call, once it knows that the token is hers.",
  );
  const admin = world.page(ADA, "jira", site);
  const fresh = await admin.getSettings();
  assert.equal(fresh.teamDomain, null, "This is another tenant, with settings of its own.");
  const entered = { teamDomain: world.team.domain, services: SERVICES_THERE };
  await transcript.aside(() => admin.saveSettings(entered));
}

async function link(stage: Stage, site: ForgeSite): Promise<void> {
  const { world, transcript } = stage;
  transcript.step(
    "Grace links there, with a code",
    "The frame of a Forge page opens no popups. So Jira opens a tab, which can't say anything to the page: she types what it shows.",
  );
  const page = world.page(GRACE, "jira", site);
  const browser = await stage.browserOf(GRACE);
  const attempt = await page.beginLink();
  await transcript.aside(() => page.openTab(attempt, browser));
  const code = await transcript.aside(() => readTypedCode(browser));
  transcript.say(`The tab shows ${code}.`);
  const { accountId } = await page.finishLink(attempt, code);
  assert.equal(accountId, GRACE.accountId, "The link should be to Grace's account.");
}

async function act({ world, transcript }: Stage, site: ForgeSite): Promise<void> {
  transcript.step(
    "The demo service acts there as it did before",
    "Nothing of the API is different, and she has to agree as before. The app gets a token for her in exchange for its own.",
  );
  await transcript.aside(() => world.page(GRACE, "jira", site).agree(DEMO.label));
  const token = await world.team.signAccessJwt(GRACE, AUDIENCES.demo);
  const reply = await world.parts.client.send({
    caller: "The demo service",
    method: "GET",
    url: `${world.appUrl}/api/v1/sites/${site.host}/jira${ISSUE}`,
    headers: { authorization: `Bearer ${token}` },
  });
  const { key } = reply.expect(200).body as { key: string };
  assert.equal(key, "SAND-1", "The service should see Grace's issue.");
}
