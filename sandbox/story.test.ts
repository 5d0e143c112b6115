import { afterEach, expect, it } from "vitest";

import { describeRequests } from "../public/request-presets.js";
import { ADA, GRACE } from "./people.js";
import { Stage } from "./stage.js";
import { playStory } from "./story.js";
import { Transcript } from "./transcript.js";
import { AUDIENCES } from "./world-parts.js";
import { startWorld, type World } from "./world.js";

let world: World;
afterEach(async () => world.close());

async function setStage(): Promise<{ stage: Stage; lines: string[] }> {
  world = await startWorld({ hasForge: true });
  const lines: string[] = [];
  const transcript = new Transcript({ write: (text) => lines.push(text), hasColours: false, width: 100 });
  return { stage: new Stage(world, transcript), lines };
}

it("plays to the end, shows no secret, and leaves a world to go on with", async () => {
  const { stage, lines } = await setStage();
  await playStory(stage);
  const told = lines.join("");
  expect(told).toContain(" 1  The app describes itself");
  expect(told).toContain("→ 201");
  expect(told).toContain("access_jwt_untrusted");
  expect(told).not.toMatch(/eyJ[\w-]{20}/);
  expect(told).not.toContain(world.site.getInstallation("jira").sharedSecret);

  const token = await world.team.signAccessJwt(GRACE, AUDIENCES.demo);
  const reply = await world.identify(token, { product: "jira", audience: AUDIENCES.demo });
  expect(reply.expect(200).body).toMatchObject({ accountId: GRACE.accountId, site: world.site.host });
});

it("lets the demo service do what people are asked about in plain words", async () => {
  const { stage } = await setStage();
  await playStory(stage);
  const { services } = await world.page(ADA).getSettings();
  const demo = services.find(({ audience }) => audience === AUDIENCES.demo);
  const words = describeRequests(demo?.limits?.requests ?? [], "jira").map((each) => each.words);
  expect(words).toEqual(["Read issues and their comments, and search for issues", "Comment on issues"]);
});

it("fails at the first step that doesn't give what it should", async () => {
  const { stage, lines } = await setStage();
  world.site.behaviour.failing = true;
  await expect(playStory(stage)).rejects.toThrow("answered 502 instead of 200");
  expect(lines.join("")).not.toContain("She tries the team domain");
});
