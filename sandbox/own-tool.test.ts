import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";

import { describeRequests } from "../public/request-presets.js";
import { json, startServer } from "./http-server.js";
import { OWN_TOOL, describeOwnToolEnvironment, tellOwnToolTokens } from "./own-tool.js";
import { ADA, GRACE, LINUS } from "./people.js";
import { Stage } from "./stage.js";
import { Transcript } from "./transcript.js";
import { SERVICES, startWorld, type World } from "./world.js";

let world: World;
let own: { readonly url: string; readonly port: number };
beforeAll(async () => {
  world = await startWorld({ hasExamples: true });
  await world.prepare();
  await world.page(ADA).saveSettings({ services: [...SERVICES, OWN_TOOL] });
  const { examples } = world.parts;
  if (!examples) throw new Error("The examples don't run.");
  own = { url: examples.ownToolUrl, port: examples.ownToolPort };
});
afterAll(async () => world.close());

/** What it is told to be started with. */
function readEnvironment(): Record<string, string> {
  const pairs = describeOwnToolEnvironment(world, own.port).split(" ");
  return Object.fromEntries(
    pairs.map((pair): [string, string] => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

it("is visited through Access as soon as it listens, with its visitor's token", async () => {
  const browser = await world.browser(GRACE);
  await browser.open(own.url);
  expect((await browser.signInIfAsked(GRACE)).status).toBe(502);

  const tool = await startServer({ port: Number(readEnvironment()["PORT"]) });
  onTestFinished(() => tool.close());
  tool.routes.push(["GET", /^\/$/, ({ headers }) => json(200, headers)]);

  const { body } = (await browser.open(own.url)).expect(200);
  expect(body).toMatchObject({ "cf-access-jwt-assertion": expect.stringMatching(/^eyJ/) as unknown });
});

it("may act for people who have agreed, with tokens that the sandbox prints", async () => {
  await world.link(GRACE);
  let told = "";
  const transcript = new Transcript({ write: (text) => (told += text), hasColours: false, width: 100 });
  await tellOwnToolTokens(new Stage(world, transcript), [GRACE, LINUS]);
  expect(told).toContain(`this is ${LINUS.name}`);
  const [, token = ""] = /^ACCESS_JWT=(\S+)$/m.exec(told) ?? [];
  const { APP_URL, SITE, AUDIENCE } = readEnvironment();
  const ask = async (path: string) => {
    const url = `${APP_URL ?? ""}/api/v1/sites/${SITE ?? ""}/${path}`;
    return (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).json();
  };
  const issue = "jira/rest/api/3/issue/SAND-1";

  expect(await ask(`identity?product=jira&audience=${AUDIENCE ?? ""}`)).toMatchObject({ email: GRACE.email });
  expect(await ask(issue)).toMatchObject({ code: "consent_required" });
  await world.page(GRACE).agree(OWN_TOOL.label);
  expect(await ask(issue)).toMatchObject({ key: "SAND-1" });
});

it("asks people in plain words", () => {
  const words = describeRequests(OWN_TOOL.limits.requests, "jira").map((each) => each.words);
  expect(words).toEqual(["Read issues and their comments, and search for issues", "Comment on issues"]);
});
