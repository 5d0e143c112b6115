import { decodeJwt } from "jose";
import { afterAll, beforeAll, expect, it } from "vitest";

import { AccessEdge } from "./access-edge.js";
import { AccessTeam, audienceOf } from "./access-team.js";
import { Browser } from "./browser.js";
import { HttpClient } from "./http-client.js";
import { json, startServer, type Server } from "./http-server.js";
import { GRACE, LINUS, NIGHTLY_BUILD } from "./people.js";

const TOOL = audienceOf("tool");
const client = new HttpClient();
let team: AccessTeam;
let origin: Server;
let edge: AccessEdge;

beforeAll(async () => {
  team = await AccessTeam.start();
  origin = await startServer();
  const echo = ({ method, url, headers, body }: Parameters<(typeof origin.routes)[0][2]>[0]) =>
    json(200, { method, path: url.pathname + url.search, headers, body });
  origin.routes.push(["GET", /^/, echo], ["POST", /^/, echo]);
  edge = await AccessEdge.start({
    team,
    applications: [{ label: "Tool", audience: TOOL, pathPrefix: "/private/" }],
  });
  edge.originPort = origin.port;
});

afterAll(async () => {
  await Promise.all([team, origin, edge].map((part) => part.close()));
});

async function send(path: string, headers: Record<string, string> = {}, body?: string) {
  const method = body === undefined ? "GET" : "POST";
  return client.send({ caller: "test", method, url: `${edge.url}${path}`, headers, ...(body && { body }) });
}

interface Echo {
  readonly headers: Record<string, string>;
}

it("passes on what isn't protected, without anything only Cloudflare may say", async () => {
  const headers = {
    "Cf-Access-Jwt-Assertion": "forged",
    "CF-Connecting-IP": "203.0.113.9",
    "X-Forwarded-For": "203.0.113.9",
    cookie: "a=1; CF_Authorization_0a1b2c3d=secret; b=2=2",
  };
  const reply = await send("/public?x=1", headers, "hello");
  expect(reply.expect(200).body).toMatchObject({
    method: "POST",
    path: "/public?x=1",
    body: "hello",
    headers: {
      host: new URL(edge.url).host,
      "cf-connecting-ip": "127.0.0.1",
      "x-forwarded-for": "203.0.113.9, 127.0.0.1",
      cookie: "a=1; b=2=2",
    },
  });
  expect((reply.body as Echo).headers).not.toHaveProperty("cf-access-jwt-assertion");
});

it("sends browsers to the login page, and scripts a 401", async () => {
  const reply = await send("/private/x?y=1", { "Cf-Access-Jwt-Assertion": "forged" });
  expect(reply.status).toBe(302);
  const login = new URL(reply.headers.location!);
  expect(login.href).toContain(`${team.url}/cdn-cgi/access/login/${new URL(edge.url).host}?`);
  expect(Object.fromEntries(login.searchParams)).toEqual({ kid: TOOL, redirect_url: "/private/x?y=1" });
  expect((await send("/private/x", { "X-Requested-With": "XMLHttpRequest" })).status).toBe(401);
});

it("signs a person in, tells the origin who it is, and signs them out", async () => {
  const browser = new Browser({ client, name: "test" });
  await browser.open(`${edge.url}/private/x?y=1`);
  const reply = await browser.signInIfAsked(GRACE);
  const { headers } = reply.expect(200).body as Echo;
  expect(decodeJwt(headers["cf-access-jwt-assertion"]!)).toMatchObject({ email: GRACE.email, aud: [TOOL] });
  expect(headers).not.toHaveProperty("cookie");
  expect((await browser.open(`${edge.url}/private/again`)).status).toBe(200);
  expect((await browser.open(`${edge.url}/cdn-cgi/access/logout`)).expect(200).text).toContain("Signed out");
  expect((await browser.open(`${edge.url}/private/again`)).text).toContain("Who are you?");
});

it("lets nobody in again whom the team has signed out, however many applications they were in", async () => {
  const other = await AccessEdge.start({
    team,
    applications: [{ label: "Other", audience: audienceOf("other"), pathPrefix: "/" }],
  });
  other.originPort = origin.port;
  const browser = new Browser({ client, name: "test" });
  const stranger = new Browser({ client, name: "test" });
  await stranger.open(`${edge.url}/private/x`);
  (await stranger.signInIfAsked(LINUS)).expect(200);
  for (const url of [`${edge.url}/private/x`, `${other.url}/x`]) {
    await browser.open(url);
    (await browser.signInIfAsked(GRACE)).expect(200);
    expect((await browser.open(url)).text).not.toContain("Who are you?");
  }
  expect((await browser.open(`${team.url}/cdn-cgi/access/logout`)).text).toContain("Signed out");
  for (const url of [`${edge.url}/private/x`, `${other.url}/x`]) {
    expect((await browser.open(url)).text).toContain("Who are you?");
  }
  expect((await stranger.open(`${edge.url}/private/x`)).text).not.toContain("Who are you?");
  await other.close();
});

it("cuts openers off on the whole way through Access when the team does, and nowhere else", async () => {
  const policy = "cross-origin-opener-policy";
  const browser = new Browser({ client, name: "test" });
  for (const expected of ["same-origin", undefined]) {
    team.cutsOpeners = expected !== undefined;
    const start = await send("/private/x");
    expect(start.status).toBe(302);
    expect(start.headers[policy]).toBe(expected);
    expect((await browser.open(start.headers.location!)).headers[policy]).toBe(expected);
    const login = await client.send({
      caller: "test",
      method: "POST",
      url: start.headers.location!,
      body: new URLSearchParams({ email: GRACE.email }),
    });
    expect(login.headers[policy]).toBe(expected);
    const authorized = await client.send({ caller: "test", method: "GET", url: login.headers.location! });
    expect(authorized.headers[policy]).toBe(expected);
    const [cookie = ""] = authorized.headers["set-cookie"]!;
    expect((await send("/private/x", { cookie })).expect(200).headers[policy]).toBe(expected);
    expect((await send("/public")).headers).not.toHaveProperty(policy);
  }
});

it("lets a service token through as a machine, and a wrong secret to the login page", async () => {
  const { clientId, clientSecret } = NIGHTLY_BUILD;
  const reply = await send("/private/x", {
    "CF-Access-Client-Id": clientId,
    "CF-Access-Client-Secret": clientSecret,
  });
  const { headers } = reply.expect(200).body as Echo;
  expect(decodeJwt(headers["cf-access-jwt-assertion"]!)).toMatchObject({ common_name: clientId });
  expect(headers).not.toHaveProperty("cf-access-client-secret");
  expect(
    (await send("/private/x", { "CF-Access-Client-Id": clientId, "CF-Access-Client-Secret": "x" })).status,
  ).toBe(302);
});

it.each([
  ["another application's token", async () => [await team.signAccessJwt(LINUS, audienceOf("other")), "/"]],
  ["no token", () => ["", "/"]],
  ["another host to go to", async () => [await team.signAccessJwt(LINUS, TOOL), "//evil.example"]],
  ["another host, with a backslash", async () => [await team.signAccessJwt(LINUS, TOOL), "/\\evil.example"]],
])("doesn't finish a login with %s", async (_name, build) => {
  const [token = "", wanted = ""] = await build();
  const query = new URLSearchParams({ token, redirect_url: wanted }).toString();
  const reply = await send(`/cdn-cgi/access/authorized?${query}`);
  expect(reply.status).toBe(403);
  expect(reply.headers).not.toHaveProperty("set-cookie");
});

it("no longer takes a cookie that an old key signed", async () => {
  const browser = new Browser({ client, name: "test" });
  await browser.open(`${edge.url}/private/x`);
  (await browser.signInIfAsked(GRACE)).expect(200);
  await team.rotateKeys();
  expect((await browser.open(`${edge.url}/private/x`)).text).not.toContain("Who are you?");
  team.dropOldKeys();
  expect((await browser.open(`${edge.url}/private/x`)).text).toContain("Who are you?");
});

it("answers 502 when the origin is away", async () => {
  const alone = await AccessEdge.start({ team, applications: [] });
  const gone = await startServer();
  alone.originPort = gone.port;
  await gone.close();
  expect((await client.send({ caller: "test", method: "GET", url: `${alone.url}/x` })).status).toBe(502);
  await alone.close();
});
