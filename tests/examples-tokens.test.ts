import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { audienceOf } from "../sandbox/access-team.js";
import { startExample } from "../sandbox/examples.js";
import { GRACE } from "../sandbox/people.js";
import {
  AUDIENCE,
  SITE,
  startPublisher,
  TEAM_DOMAIN,
  TENANT,
  type Publisher,
  type Token,
} from "./examples.fixture.js";

const HOUR = 60 * 60;

let publisher: Publisher;
beforeAll(async () => {
  publisher = await startPublisher();
});
afterAll(() => publisher.server.close());

const WRONG_AUDIENCES: [what: string, changes: Partial<Token>][] = [
  ["for another service", { aud: audienceOf("Another") }],
  ["for nobody in particular", { aud: [] }],
];

describe("my-issues, called by a page in Jira", () => {
  let example: Awaited<ReturnType<typeof startExample>>;
  beforeAll(async () => {
    example = await startExample("my-issues/server.js", { APP_URL: publisher.server.url, SITE, AUDIENCE });
  });
  afterAll(() => example.close());

  async function call(changes: Partial<Token>, { port } = example): Promise<Response> {
    const assertion: Token = {
      alg: "ES256",
      typ: "assertion+jwt",
      iss: `${publisher.server.url}/sites/${SITE}/jira`,
      aud: AUDIENCE,
      sub: GRACE.accountId,
      jti: randomUUID(),
      tenant: TENANT,
      seconds: 60,
    };
    const headers = { authorization: `Bearer ${await publisher.sign({ ...assertion, ...changes })}` };
    return fetch(`http://127.0.0.1:${port}/from-jira`, { method: "POST", headers });
  }

  it("takes an assertion", async () => {
    const response = await call({});
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ accountId: GRACE.accountId });
  });

  it.each<[what: string, changes: () => Partial<Token>]>([
    ["of Confluence on the same site", () => ({ iss: `${publisher.server.url}/sites/${SITE}/confluence` })],
    ["of another site", () => ({ iss: `${publisher.server.url}/sites/globex.atlassian.net/jira` })],
    ["of another app", () => ({ iss: `https://evil.example/sites/${SITE}/jira` })],
    ["that is another kind of token", () => ({ typ: "JWT" })],
    ["that doesn't say what it is", () => ({ typ: undefined })],
    ...WRONG_AUDIENCES.map(([what, changes]): [string, () => Partial<Token>] => [what, () => changes]),
    ["signed by another algorithm", () => ({ alg: "RS256" })],
    ["that is over", () => ({ seconds: -10 })],
    ["that can't be told from others", () => ({ jti: undefined })],
  ])("takes none %s", async (_what, changes) => {
    expect((await call(changes())).status).toBe(401);
  });

  it("takes each assertion once", async () => {
    const jti = randomUUID();
    expect((await call({ jti })).status).toBe(200);
    expect((await call({ jti })).status).toBe(401);
    expect((await call({})).status).toBe(200);
  });

  it.each<[whose: string, tenant: string, status: number]>([
    ["takes one of the tenant that it was told", TENANT, 200],
    ["takes none of another tenant, whatever the site is called", "of-somebody-else", 401],
  ])("%s", async (_whose, tenant, status) => {
    const env = { APP_URL: publisher.server.url, SITE, AUDIENCE, TENANT };
    const pinned = await startExample("my-issues/server.js", env);
    onTestFinished(() => pinned.close());
    expect((await call({ tenant }, pinned)).status).toBe(status);
  });
});

describe("mcp, called by an assistant", () => {
  let example: Awaited<ReturnType<typeof startExample>>;
  beforeAll(async () => {
    const CERTS_URL = `${publisher.server.url}/cdn-cgi/access/certs`;
    const env = { APP_URL: publisher.server.url, SITE, TEAM_DOMAIN, AUDIENCE, CERTS_URL };
    example = await startExample("mcp/server.js", env);
  });
  afterAll(() => example.close());

  async function call(changes: Partial<Token>): Promise<Response> {
    const accessJwt: Token = {
      alg: "RS256",
      typ: "JWT",
      iss: `https://${TEAM_DOMAIN}`,
      aud: [AUDIENCE],
      sub: "grace",
      seconds: HOUR,
    };
    return fetch(`http://localhost:${example.port}/mcp`, {
      method: "POST",
      headers: {
        "cf-access-jwt-assertion": await publisher.sign({ ...accessJwt, ...changes }),
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }),
    });
  }

  it("takes an Access JWT", async () => {
    const response = await call({});
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("search_issues");
  });

  it.each<[what: string, changes: Partial<Token>]>([
    ["of another team", { iss: "https://evil.cloudflareaccess.com" }],
    ["whose team is written differently", { iss: `https://${TEAM_DOMAIN}/` }],
    ...WRONG_AUDIENCES,
    ["signed by another algorithm", { alg: "ES256" }],
    ["signed by another algorithm with the same kind of key", { alg: "PS256" }],
    ["that is over", { seconds: -10 }],
  ])("takes none %s", async (_what, changes) => {
    expect((await call(changes)).status).toBe(401);
  });
});
