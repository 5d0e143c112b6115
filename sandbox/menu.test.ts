import { afterAll, beforeAll, expect, it } from "vitest";

import { Menu } from "./menu.js";
import { ADA, GRACE } from "./people.js";
import { READING } from "./scene-site.js";
import { Stage } from "./stage.js";
import { Transcript } from "./transcript.js";
import { SERVICES, startWorld, type World } from "./world.js";

let world: World;
beforeAll(async () => {
  world = await startWorld({ hasForge: true });
  await world.prepare();
});
afterAll(async () => world.close());

/** What is told when somebody types these lines, and then quits. */
async function choose(...answers: string[]): Promise<string> {
  let told = "";
  const write = (text: string) => (told += text);
  const typed = [...answers, "q"];
  const question = (prompt: string) => {
    write(prompt);
    return Promise.resolve(typed.shift() ?? "q");
  };
  const stage = new Stage(world, new Transcript({ write, hasColours: false, width: 100 }));
  await new Menu(stage, { question }).run();
  return told;
}

it.each([
  ["a letter that isn't there", ["x"], /There is no x\.\n\n {2}v {2}visit/],
  ["a number that isn't there", ["u 9", "7", "3"], /no 9\.\n[^]*no 7\.\n[^]*Oscar Outside had no link\./],
  ["nothing but Enter for a person", ["u", ""], /Who\? 1 Grace Green[^]*Grace Green had no link\./],
  ["a visit while the team is off", ["o", "v 3", "o"], /The Access team is off: nobody can sign in\./],
  ["a token for a tool of one's own", ["k 2"], /this is Linus Lake[^]*\nACCESS_JWT=eyJ/],
  ["the suggested way", ["l 1", "v 1", "u 1", "v 1"], /is linked\.[^]*In Jira you are[^]*isn't linked/],
])("understands %s", async (_name, answers, expected) => {
  expect(await choose(...answers)).toMatch(expected);
});

it("tells everything anew for every choice", async () => {
  expect(await choose("v 2", "v 2")).not.toContain("(the same as above)");
});

it("tells the audit log in one line for every event", async () => {
  expect(await choose("a")).toMatch(
    /\n {6}\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2}host {14}tenant\.installed {4}tenant [\da-f]{8}… {2,}[A-Z2-7]{12}\n/,
  );
});

it("installs the app through Forge, and uninstalls it", async () => {
  expect(await choose("f", "f")).toMatch(
    /Forge's trigger[^]*\/forge\/installed[^]*Forge's preUninstall[^]*→ 204/,
  );
  expect(world.forgeSite.products).toEqual([]);
});

it("prints calls that work as they are, or says what is in the way", async () => {
  await world.link(GRACE);
  const told = await choose("t");
  expect(await makeCalls(told)).toMatchObject([
    { teamDomain: world.team.domain },
    { accountId: GRACE.accountId, links: [{ accountId: GRACE.accountId }] },
    { accountId: GRACE.accountId, site: world.site.host },
    { code: "purpose_not_allowed" },
  ]);
  expect(told).toContain("refused: purpose_not_allowed.");
});

it("prints a call that acts, once the person has agreed, and until then where she can", async () => {
  await world.link(GRACE);
  const [app, demo] = SERVICES;
  const limits = { requests: READING };
  await world.page(ADA).saveSettings({ services: [app, { ...demo, purposes: ["act"], limits }] });
  expect(await choose("t")).toMatch(/refused: consent_required\. [^]*\nhttp:\S+\/account\?ac\.service=\S+\n/);

  await world.page(GRACE).agree(demo.label);

  const told = await choose("t");
  expect((await makeCalls(told)).at(-1)).toMatchObject({ key: "SAND-1" });
  expect(told).not.toContain("refused:");
});

/** As somebody does who copies them to another terminal. */
async function makeCalls(told: string): Promise<unknown[]> {
  const calls = told.matchAll(/^curl -H 'Authorization: (.+?)' '(.+)'$/gm);
  return Promise.all(
    [...calls].map(async ([, authorization = "", url = ""]) =>
      (await fetch(url, { headers: { authorization } })).json(),
    ),
  );
}
