import { afterAll, beforeAll, expect, it } from "vitest";

import { PROBLEMS } from "../src/errors.js";
import type { Reply } from "./http-client.js";
import { GRACE, LINUS } from "./people.js";
import type { Outcome } from "./refusal-pages.js";
import { SCENES } from "./refusal-scenes.js";
import { REPORTS } from "./scene-site.js";
import { startWorld, type World } from "./world.js";

let world: World;
beforeAll(async () => {
  world = await startWorld({ hasEdge: false });
  await world.prepare();
});
afterAll(async () => world.close());

async function send(method: string, path: string, headers: Record<string, string> = {}): Promise<Reply> {
  return world.parts.client.send({ caller: "test", method, url: `${world.site.url}${path}`, headers });
}

async function play(id: string): Promise<Outcome> {
  const reply = await send("POST", `/refusals/${id}`, { "x-sandbox-scene": "play" });
  return reply.expect(200).body as Outcome;
}

it("has a button for every scene, and says how it ends", async () => {
  const page = (await send("GET", "/refusals")).expect(200);
  for (const { id } of SCENES) expect(page.text).toContain(`data-scene="${id}"`);
  expect(page.text).toContain("Refused: <code>token_too_old</code>, 403");
  expect((await send("GET", "/")).text).toContain(`href="/refusals"`);
});

it("tells of a refusal what the service was told, and where it leads", async () => {
  const { problem, links, facts, ...rest } = await play("not-linked");
  expect(rest).toEqual({
    request: expect.stringMatching(/^GET \/api\/v1\/sites\/.+\/jira\/rest\/api\/3\/myself$/) as unknown,
    status: 404,
    body: null,
    isAsTold: true,
  });
  expect(problem).toMatchObject({ code: "not_linked", title: PROBLEMS.not_linked.title });
  expect(links).toEqual([
    {
      text: `Link, as ${LINUS.name}`,
      url: expect.stringMatching(/^http.+\/account\?(?:.+&)?as=linus$/) as unknown,
    },
  ]);
  expect(Object.fromEntries(facts)["x-request-reference"]).toMatch(/^[A-Z2-7]{12}$/);
});

it("leads to where Grace agrees, on a page that is there", async () => {
  const { links } = await play("consent");
  const url = links[0]?.url ?? "";
  expect(new URL(url).searchParams.get("as")).toBe("grace");
  const page = await world.parts.client.send({ caller: "test", method: "GET", url });
  expect(page.expect(200).text).toContain(`${GRACE.name}, member`);
});

it("shows the product's answer, without any token", async () => {
  const read = await play("my-issues");
  expect(read).toMatchObject({ status: 200, problem: null, isAsTold: true });
  expect(read.body).toContain("Water the plants");
  expect(Object.fromEntries(read.facts)).toMatchObject({
    "x-gateway-upstream": "jira",
    "x-ratelimit-remaining": "349",
  });
  const [, redirect] = (await play("redirect")).facts.find(([name]) => name === "location") ?? [];
  expect(redirect).toMatch(/^http.+\/api\/v1\/sites\/.+\/jira\/rest\/api\/3\/issue\/SAND-1$/);
});

it("lets the product show what was done in Grace's name", async () => {
  const { links } = await play("comment");
  const call = { caller: "test", method: "GET", url: links[0]?.url ?? "" };
  const { text } = (await world.parts.client.send(call)).expect(200);
  expect(text).toContain(`${GRACE.name} has commented</h3>\n<p>Watered at`);
  expect(text).not.toContain("A surprise for Grace");
});

it("leads a page's refusals to their cure, as it does a service's", async () => {
  expect((await play("assertion-not-linked")).links).toMatchObject([{ text: `Link, as ${LINUS.name}` }]);
  expect((await play("assertion-consent")).links).toMatchObject([{ text: `Agree, as ${GRACE.name}` }]);
});

it.each<[scene: string, name: string, entry: string]>([
  ["unconfirmed-link", "linkUrl", "ac.link"],
  ["lapsed-link", "linkUrl", "ac.link"],
  ["assertion-unconfirmed", "linkUrl", "ac.link"],
  ["consent-changed", "consentUrl", "ac.service"],
])("says of %s where it leads, though nobody is left to open it as", async (scene, name, entry) => {
  const { links, facts } = await play(scene);
  expect(links).toEqual([]);
  expect(new URL(Object.fromEntries(facts)[name] ?? "").searchParams.has(entry)).toBe(true);
});

it("shows what a service reads in an assertion that it has verified, and not the assertion", async () => {
  const { site } = await world.scenes.open();
  const { facts, body } = await play("assertion");
  expect(body).not.toMatch(/eyJ[\w-]{20}/);
  expect(Object.fromEntries(facts)).toMatchObject({
    "claim iss": `${world.appUrl}/sites/${site.host}/jira`,
    "claim sub": expect.stringMatching(/^712020:/) as unknown,
    "claim site": site.host,
    "claim access": expect.stringContaining(`"iss":"https://${world.team.domain}"`) as unknown,
  });
});

it("plays nothing for a page of another origin, and no scene that isn't there", async () => {
  expect((await send("POST", "/refusals/comment")).status).toBe(403);
  expect((await send("POST", "/refusals/nonsense", { "x-sandbox-scene": "play" })).status).toBe(404);
});

it("refuses whoever has agreed or linked meanwhile, and leaves them as they were", async () => {
  const scenes = await world.scenes.open();
  const grace = scenes.page(GRACE);
  await grace.agree(REPORTS.label);
  await scenes.link(LINUS);

  expect((await play("consent")).problem?.code).toBe("consent_required");
  expect((await play("not-linked")).problem?.code).toBe("not_linked");

  expect((await grace.findService(REPORTS.label)).standing).toBe("agreed");
  expect(await scenes.page(LINUS).listLinks()).toHaveLength(1);
});

it("leaves nothing arranged when a scene fails on its way", async () => {
  const scenes = await world.scenes.open();
  const before = (await scenes.page(GRACE).send("GET", "/api/v1/me")).expect(200).body;
  await expect(
    world.scenes.play({
      id: "broken",
      title: "",
      about: "",
      ending: { status: 200 },
      play: async (run) => {
        await run.setOut();
        throw new Error("Half-way.");
      },
    }),
  ).rejects.toThrow("Half-way.");
  expect((await scenes.page(GRACE).send("GET", "/api/v1/me")).body).toEqual(before);
  expect((await play("no-token")).isAsTold).toBe(true);
});
