import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { afterAll, beforeAll, expect, it } from "vitest";

import { AccessTeam, audienceOf } from "./access-team.js";
import { Browser } from "./browser.js";
import { HttpClient } from "./http-client.js";
import { GRACE, NIGHTLY_BUILD } from "./people.js";

const TOOL = audienceOf("tool");
let team: AccessTeam;

beforeAll(async () => {
  team = await AccessTeam.start();
});
afterAll(async () => team.close());

function verify(token: string) {
  const keys = createRemoteJWKSet(new URL(`${team.url}/cdn-cgi/access/certs`), { cooldownDuration: 0 });
  return jwtVerify(token, keys, { issuer: team.issuer, audience: TOOL, algorithms: ["RS256"] });
}

it("signs a person's and a machine's token with a key that it publishes", async () => {
  const person = await verify(await team.signAccessJwt(GRACE, TOOL));
  expect(person.payload).toMatchObject({
    type: "app",
    sub: GRACE.accessSubject,
    email: GRACE.email,
    aud: [TOOL],
  });
  const machine = await verify(await team.signAccessJwt(NIGHTLY_BUILD, TOOL));
  expect(machine.payload).toMatchObject({ common_name: NIGHTLY_BUILD.clientId, sub: "" });
  expect(machine.payload).not.toHaveProperty("email");
  const overridden = await team.signAccessJwt(GRACE, TOOL, { claims: { aud: "other", nbf: undefined } });
  expect(decodeJwt(overridden).aud).toBe("other");
});

it("publishes an old key until it is dropped", async () => {
  const old = await team.signAccessJwt(GRACE, TOOL);
  await team.rotateKeys();
  const renewed = await team.signAccessJwt(GRACE, TOOL);
  await verify(old);
  await verify(renewed);
  expect(await team.accepts(old, TOOL)).toBe(true);
  expect(await team.accepts(old, audienceOf("another tool"))).toBe(false);
  team.dropOldKeys();
  await expect(verify(old)).rejects.toThrow("no applicable key");
  expect(await team.accepts(old, TOOL)).toBe(false);
  await verify(renewed);
});

it("says whose session a token was made in, for as long as it lasts", async () => {
  const [token, other] = [await team.signAccessJwt(GRACE, TOOL), await team.signAccessJwt(GRACE, TOOL)];
  const ask = (headers: Record<string, string>) =>
    new HttpClient().send({
      caller: "test",
      method: "GET",
      url: `${team.url}/cdn-cgi/access/get-identity`,
      headers,
    });
  const askFor = (cookie: string) => ask({ cookie: `CF_Authorization=${cookie}` });
  expect((await askFor(token)).expect(200).body).toMatchObject({
    email: GRACE.email,
    user_uuid: GRACE.accessSubject,
  });
  team.endSession(token);
  (await askFor(token)).expect(401);
  expect(await team.accepts(token, TOOL)).toBe(false);
  (await askFor(other)).expect(200);
  (await askFor(`${other}x`)).expect(401);
  (await ask({})).expect(400);
});

it("can be off, failing and slow, and counts what it was asked", async () => {
  const ask = () =>
    new HttpClient().send({ caller: "test", method: "GET", url: `${team.url}/cdn-cgi/access/certs` });
  team.server.requests.length = 0;
  team.behaviour.off = true;
  await expect(ask()).rejects.toThrow("got no answer");
  team.behaviour.off = false;
  team.behaviour.failing = true;
  expect((await ask()).status).toBe(500);
  team.behaviour.failing = false;
  team.behaviour.delaySeconds = 0.05;
  const start = performance.now();
  (await ask()).expect(200);
  expect(performance.now() - start).toBeGreaterThanOrEqual(45);
  team.behaviour.delaySeconds = 0;
  expect(team.server.requests).toHaveLength(3);
});

it("hands a token to registered applications only", async () => {
  const browser = new Browser({ client: new HttpClient(), name: "test" });
  const login = `${team.url}/cdn-cgi/access/login/tool.acme.example?kid=${TOOL}&redirect_url=%2F`;
  expect((await browser.open(login)).status).toBe(404);
  expect((await browser.submit({ email: GRACE.email })).status).toBe(403);
  team.register({ label: "<Tool>", audience: TOOL, url: `${team.url}/nowhere` });
  expect((await browser.open(login)).expect(200).text).toContain("Sign in to &#60;Tool&#62;");
  expect((await browser.submit({ email: "stranger@evil.example" })).status).toBe(403);
  const { url } = (await browser.submit({ email: GRACE.email })).call;
  expect(url).toMatch(/\/nowhere\/cdn-cgi\/access\/authorized\?token=/);
});

it("says that it is an imitation, and leads back to a registered application only", async () => {
  const browser = new Browser({ client: new HttpClient(), name: "test" });
  const url = "http://localhost:1";
  team.register({ label: "Tool", audience: TOOL, url });
  expect((await browser.open(`${team.url}/cdn-cgi/access/login/x?kid=${TOOL}`)).text).toContain("imitation");
  const goodbye = `${team.url}/cdn-cgi/access/logout`;
  expect((await browser.open(`${goodbye}?kid=${TOOL}`)).text).toContain(`<a href="${url}/">Back to Tool</a>`);
  expect((await browser.open(`${goodbye}?kid=${url}`)).expect(200).text).not.toContain("<a ");
});
