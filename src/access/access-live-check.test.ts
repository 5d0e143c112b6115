import http from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { VerifiedAccessJwt } from "../links/verified-access-jwt.js";
import { AccessLiveCheck } from "./access-live-check.js";
import { createSteppedClock, type SteppedClock } from "./access-team.fixture.js";

const TEAM = "acme.cloudflareaccess.com";
const SUBJECT = "7f1c0f4e-0000-4000-8000-000000000001";
const EMAIL = "ann@acme.com";

type Answer = (res: http.ServerResponse) => void;

let answer: Answer;
let requests: http.IncomingMessage[];
let server: http.Server;
let clock: SteppedClock;
let check: AccessLiveCheck;

function open(maxTokens?: number): AccessLiveCheck {
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const originOverrides = new Map([[TEAM, origin]]);
  return new AccessLiveCheck({ clock, originOverrides, ...(maxTokens !== undefined && { maxTokens }) });
}

beforeEach(async () => {
  requests = [];
  answer = json(200, { email: EMAIL, user_uuid: SUBJECT });
  server = http.createServer((req, res) => {
    requests.push(req);
    answer(res);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  clock = createSteppedClock();
  check = open();
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
});

function json(status: number, body: unknown): Answer {
  return (res) => res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function buildToken(hash = "h1"): VerifiedAccessJwt {
  return {
    issuer: `https://${TEAM}`,
    teamDomain: TEAM,
    audiences: [],
    issuedAt: 0,
    notBefore: null,
    expiresAt: 0,
    holder: { kind: "person", subject: SUBJECT, email: EMAIL },
    hash,
  };
}

const ask = (maxAgeSeconds = 60, hash?: string) =>
  check.requireLive(buildToken(hash), "a.b.c", maxAgeSeconds);

describe("a team that says that the session lasts", () => {
  it("is asked with the token alone, at its own address", async () => {
    expect(await ask()).toBe(true);
    const [request, ...others] = requests;
    expect(others).toEqual([]);
    expect([request?.method, request?.url]).toEqual(["GET", "/cdn-cgi/access/get-identity"]);
    expect(request?.headers.cookie).toBe("CF_Authorization=a.b.c");
    expect(request?.headers).not.toHaveProperty("authorization");
  });

  it("is believed for as long as whoever asks allows, and not a second longer", async () => {
    await ask(60);
    clock.advance(59);
    expect(await ask(60)).toBe(false);
    expect(await ask(59)).toBe(true);
    clock.advance(60);
    expect(await ask(60)).toBe(true);
    expect(requests).toHaveLength(3);
  });

  it("is believed from when it was asked, not from when it answered", async () => {
    answer = (res) => {
      clock.advance(40);
      json(200, { email: EMAIL })(res);
    };
    await ask(60);
    clock.advance(20);
    expect(await ask(60)).toBe(true);
  });

  it("is believed about that token alone", async () => {
    await ask(60, "h1");
    expect(await ask(60, "h2")).toBe(true);
    expect(requests).toHaveLength(2);
  });

  it("is asked once by those who want to know at the same time", async () => {
    await Promise.all([ask(), ask(), ask(10)]);
    expect(requests).toHaveLength(1);
  });

  it("is asked again about a token that was forgotten because there were too many", async () => {
    check = open(2);
    for (const hash of ["h1", "h2", "h3"]) await ask(60, hash);
    expect(await ask(60, "h3")).toBe(false);
    expect(await ask(60, "h1")).toBe(true);
  });

  it.each<[what: string, body: object]>([
    ["by id, whatever the e-mail is by now", { email: "ann.new@acme.com", user_uuid: SUBJECT }],
    ["by e-mail, where there is no id", { email: EMAIL }],
  ])("knows the person %s", async (_what, body) => {
    answer = json(200, body);
    expect(await ask()).toBe(true);
  });
});

describe("a session is over for good", () => {
  it.each<[what: string, answer: Answer]>([
    ["400", json(400, { err: "no app token set" })],
    ["401", json(401, {})],
    ["403", json(403, {})],
    ["200 with an error in it", json(200, { err: "unable to find identity", email: EMAIL })],
    ["a redirect to a login page", (res) => res.writeHead(302, { location: "http://127.0.0.1:1/" }).end()],
  ])("where the team answers %s", async (_what, given) => {
    answer = given;
    await expect(ask()).rejects.toMatchObject({
      code: "access_jwt_expired",
      message: "Access has ended the session that this token was made in. Sign in to Access again.",
    });
    expect(requests).toHaveLength(1);
  });

  it("and asked about at most every ten seconds", async () => {
    answer = json(401, {});
    for (let nth = 0; nth < 3; nth += 1) {
      await expect(ask(3600)).rejects.toMatchObject({ code: "access_jwt_expired" });
    }
    expect(requests).toHaveLength(1);
    clock.advance(10);
    await expect(ask(3600)).rejects.toMatchObject({ code: "access_jwt_expired" });
    expect(requests).toHaveLength(2);
  });
});

describe("nobody acts on no answer", () => {
  it.each<[what: string, answer: Answer]>([
    ["500", json(500, { email: EMAIL })],
    ["404", json(404, {})],
    ["429", json(429, { email: EMAIL })],
    ["204", (res) => res.writeHead(204).end()],
    ["a page", (res) => res.writeHead(200).end("<h1>Sign in</h1>")],
    ["a list", json(200, [{ email: EMAIL }])],
    ["nothing", json(200, null)],
    ["somebody else", json(200, { email: "bob@acme.com", user_uuid: "other" })],
    ["nobody", json(200, {})],
    ["more than is read", (res) => res.writeHead(200).end("x".repeat(300 * 1024))],
    [
      "an answer that breaks off",
      (res) => res.writeHead(200, { "content-length": "100" }).write("{", () => res.destroy()),
    ],
    ["a closed connection", (res) => void res.destroy()],
  ])("such as %s", async (_what, given) => {
    answer = given;
    await expect(ask()).rejects.toMatchObject({ code: "upstream_failed" });
    answer = json(200, { email: EMAIL });
    expect(await ask()).toBe(true);
  });

  it("nor on a yes that is older than they may rest on", async () => {
    await ask(60);
    clock.advance(30);
    answer = json(500, {});
    await expect(ask(30)).rejects.toMatchObject({ code: "upstream_failed" });
    expect(await ask(31)).toBe(false);
  });

  it("nor on one that takes longer than five seconds", { timeout: 10_000 }, async () => {
    answer = () => undefined;
    await expect(ask()).rejects.toMatchObject({ code: "upstream_timeout" });
  });
});
