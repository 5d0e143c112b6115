import { afterAll, beforeAll, expect, it } from "vitest";

import type { Browser } from "./browser.js";
import { visibleText } from "./html.js";
import { DORA, GRACE, NIGHTLY_BUILD, OSCAR, type Person } from "./people.js";
import { AUDIENCES } from "./world-parts.js";
import { startWorld, type World } from "./world.js";

let world: World;
const LINK_PATH = "/plugins/servlet/ac/access-for-atlassian-cloud/account";

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

it("tells others who they are in Access, what is missing, and where to link as the same person", async () => {
  const { page } = await visit(OSCAR);
  const text = visibleText(page.expect(200).text);
  expect(text).toContain(`This Access identity isn't linked You are signed in to Access as ${OSCAR.email}.`);
  expect(page.text).toContain(`href="${world.site.url}${LINK_PATH}?as=oscar">Link your account`);
  expect(text).toContain("In the sandbox, the page opens as Oscar Outside.");
});

it("leads those who have no account on the site to the page of whoever is chosen there", async () => {
  const { page } = await visit(DORA);
  const text = visibleText(page.expect(200).text);
  expect(text).toContain(`You are signed in to Access as ${DORA.email}.`);
  expect(page.text).toContain(`href="${world.site.url}${LINK_PATH}">Link your account`);
  expect(text).toContain("In the sandbox, the page opens as the person chosen in the site's purple bar.");
});

it("doesn't say who a machine is", async () => {
  const headers = {
    accept: "text/html",
    "cf-access-client-id": NIGHTLY_BUILD.clientId,
    "cf-access-client-secret": NIGHTLY_BUILD.clientSecret,
  };
  const call = { caller: "test", method: "GET", url: world.parts.demoUrl, headers };
  const { text } = (await world.parts.client.send(call)).expect(200);
  expect(text).toContain("service token");
  expect(text).not.toContain("signed in to Access as");
});

it.each([
  [GRACE, `Hello, ${GRACE.email}\nIn Jira you are the account ${GRACE.accountId}.\n`],
  [OSCAR, `\nYou are signed in to Access as ${OSCAR.email}.\n`],
])("answers a script of $0.name in plain text", async (person, expected) => {
  const token = await world.team.signAccessJwt(person, AUDIENCES.demo);
  const headers = { cookie: `CF_Authorization_${AUDIENCES.demo.slice(0, 8)}=${token}` };
  const call = { caller: "test", method: "GET", url: world.parts.demoUrl, headers };
  const reply = (await world.parts.client.send(call)).expect(200);
  expect(reply.headers["content-type"]).toBe("text/plain; charset=utf-8");
  expect(reply.text).toContain(expected);
});
