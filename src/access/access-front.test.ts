import http from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, expect, it } from "vitest";

import { AccessFront } from "./access-front.js";

const AUD = "ab".repeat(32);
const LOGIN = "https://acme.cloudflareaccess.com/cdn-cgi/access/login/app.example.com";

let answer: (res: http.ServerResponse) => void;
let requests: http.IncomingMessage[];
let server: http.Server;
let front: AccessFront;
let now: number;

/** Later than anything is remembered. */
async function lookLater() {
  now += 60_000;
  return front.look();
}

beforeEach(async () => {
  requests = [];
  server = http.createServer((req, res) => {
    requests.push(req);
    answer(res);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/app`;
  now = 1;
  front = new AccessFront({
    baseUrl,
    clock: { now: () => new Date(now) },
    originOverrides: new Map([["local.cloudflareaccess.com", "http://127.0.0.1:4001"]]),
  });
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
});

function redirectTo(location: string, status = 302) {
  return (res: http.ServerResponse) => res.writeHead(status, { location }).end();
}

it.each<[string, number, string, { teamDomain: string | null; audience: string | null }]>([
  [
    "a team's login",
    302,
    `${LOGIN}?kid=${AUD}&redirect_url=%2F`,
    { teamDomain: "acme.cloudflareaccess.com", audience: AUD },
  ],
  [
    "a login that names no application",
    302,
    LOGIN,
    { teamDomain: "acme.cloudflareaccess.com", audience: null },
  ],
  [
    "a login with an unusable kid",
    307,
    `${LOGIN}?kid=x`,
    { teamDomain: "acme.cloudflareaccess.com", audience: null },
  ],
  [
    "a team's stand-in",
    302,
    `http://127.0.0.1:4001/cdn-cgi/access/login/x?kid=${AUD}`,
    { teamDomain: "local.cloudflareaccess.com", audience: AUD },
  ],
  [
    "a page of a team that isn't its login",
    302,
    "https://acme.cloudflareaccess.com/apps",
    { teamDomain: null, audience: null },
  ],
  [
    "a path that only begins like the login",
    302,
    "https://acme.cloudflareaccess.com/cdn-cgi/access/loginx",
    { teamDomain: null, audience: null },
  ],
  [
    "somebody else's login",
    302,
    "https://acme.cloudflareaccess.com.evil.example/cdn-cgi/access/login",
    { teamDomain: null, audience: null },
  ],
  ["a login of another kind", 303, "/login", { teamDomain: null, audience: null }],
])("sees %s", async (_, status, location, expected) => {
  answer = redirectTo(location, status);
  expect(await lookLater()).toEqual({ kind: "sign_in", ...expected });
});

it("sees the app itself by its own refusal", async () => {
  answer = (res) => res.writeHead(401).end(JSON.stringify({ code: "access_jwt_missing" }));
  expect(await lookLater()).toEqual({ kind: "open" });
});

it.each<[string, number, string]>([
  ["a page", 200, "<h1>Hello</h1>"],
  ["another refusal", 401, '{"code":"connect_jwt_missing"}'],
  ["something that isn't JSON", 401, "no"],
  ["null", 401, "null"],
  ["a refusal by Access", 403, "Forbidden"],
])("can't tell from %s", async (_, status, body) => {
  answer = (res) => res.writeHead(status).end(body);
  expect(await lookLater()).toEqual({ kind: "other", status });
});

it("can't tell from a redirect that leads nowhere", async () => {
  answer = redirectTo("http://[");
  expect(await lookLater()).toEqual({ kind: "other", status: 302 });
  answer = (res) => res.writeHead(302).end();
  expect(await lookLater()).toEqual({ kind: "other", status: 302 });
});

it("says why nothing was reached", async () => {
  answer = (res) => res.destroy();
  expect(await lookLater()).toEqual({ kind: "unreachable", reason: "The server can't be reached." });
  answer = (res) => res.end("x".repeat(300 * 1024));
  expect(await lookLater()).toMatchObject({
    kind: "unreachable",
    reason: expect.stringContaining("larger") as string,
  });
});

it("remembers for three seconds what it saw", async () => {
  answer = (res) => res.writeHead(200).end();
  await front.look();
  now += 2_999;
  await front.look();
  expect(requests).toHaveLength(1);
  now += 2;
  await front.look();
  expect(requests).toHaveLength(2);
});

it("goes to the public address as a stranger, follows nothing, and looks once for all who ask at a time", async () => {
  answer = redirectTo(`${front.url}-and-on`);
  await Promise.all([front.look(), front.look(), front.look()]);
  expect(requests.map(({ url, method }) => [method, url])).toEqual([["GET", "/app/access/link/check"]]);
  expect(requests[0]?.headers).not.toHaveProperty("cookie");
  expect(requests[0]?.headers).not.toHaveProperty("authorization");
  expect(requests[0]?.headers).not.toHaveProperty("x-requested-with");
});
