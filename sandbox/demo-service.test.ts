import { afterAll, beforeAll, expect, it } from "vitest";

import type { Browser } from "./browser.js";
import { visibleText } from "./html.js";
import { GRACE, LINUS, type Person } from "./people.js";
import { AUDIENCES } from "./world-parts.js";
import { startWorld, type World } from "./world.js";

let world: World;

beforeAll(async () => {
  world = await startWorld();
  await world.prepare();
  await world.link(GRACE);
});
afterAll(async () => world.close());

async function visit(person: Person): Promise<Browser> {
  const browser = await world.browser(person);
  await browser.open(world.parts.demoUrl);
  await browser.signInIfAsked(person);
  return browser;
}

it("tells a linked visitor who they are on both sides, and how that was proved", async () => {
  const { page } = await visit(GRACE);
  const text = visibleText(page.expect(200).text);
  expect(text).toContain(`Hello, ${GRACE.email}`);
  expect(text).toContain(`In Jira you are the account ${GRACE.accountId}.`);
  expect(text).toContain("Linked by themselves, with proof of both sides");
  expect(page.text).toContain(`href="/cdn-cgi/access/logout"`);
});

it("tells others what is missing, and where to link", async () => {
  const { page } = await visit(LINUS);
  expect(page.expect(200).text).toContain("This Access identity isn&#39;t linked");
  const linkUrl = `${world.site.url}/plugins/servlet/ac/access-for-atlassian-cloud/account`;
  expect(page.text).toContain(`href="${linkUrl}">Link your account`);
});

it("answers a script in plain text", async () => {
  const token = await world.team.signAccessJwt(GRACE, AUDIENCES.demo);
  const headers = { cookie: `CF_Authorization_${AUDIENCES.demo.slice(0, 8)}=${token}` };
  const call = { caller: "test", method: "GET", url: world.parts.demoUrl, headers };
  const reply = (await world.parts.client.send(call)).expect(200);
  expect(reply.headers["content-type"]).toBe("text/plain; charset=utf-8");
  expect(reply.text).toBe(`Hello, ${GRACE.email}\nIn Jira you are the account ${GRACE.accountId}.\n`);
});
