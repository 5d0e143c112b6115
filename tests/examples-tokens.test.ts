import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { audienceOf } from "../sandbox/access-team.js";
import { startExample } from "../sandbox/examples.js";
import { json, startServer, type Server } from "../sandbox/http-server.js";
import { GRACE } from "../sandbox/people.js";

const SITE = "acme.atlassian.net";
const TEAM_DOMAIN = "acme.cloudflareaccess.com";
const AUDIENCE = audienceOf("The example");
const HOUR = 60 * 60;

const ALGORITHMS = ["ES256", "RS256", "PS256"] as const;
type Algorithm = (typeof ALGORITHMS)[number];

interface Token {
  readonly alg: Algorithm;
  readonly typ: string | undefined;
  readonly iss: string;
  readonly aud: string | string[];
  readonly sub: string;
  /** From now on. */
  readonly seconds: number;
}

/** Publishes, wherever it is asked for them, one key for each algorithm: that a signature holds is never the question. */
let publisher: Server;
const keys = new Map<Algorithm, CryptoKey>();
beforeAll(async () => {
  const published: JWK[] = [];
  for (const alg of ALGORITHMS) {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    keys.set(alg, privateKey);
    published.push({ ...(await exportJWK(publicKey)), kid: alg });
  }
  publisher = await startServer();
  publisher.routes.push(["GET", /\/(?:jwks\.json|certs)$/, () => json(200, { keys: published })]);
});
afterAll(() => publisher.close());

async function sign({ alg, typ, seconds, ...claims }: Token): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ ...claims, iat: now - HOUR, exp: now + seconds })
    .setProtectedHeader({ alg, kid: alg, ...(typ !== undefined && { typ }) })
    .sign(keys.get(alg)!);
}

const WRONG_AUDIENCES: [what: string, changes: Partial<Token>][] = [
  ["for another service", { aud: audienceOf("Another") }],
  ["for nobody in particular", { aud: [] }],
];

describe("my-issues, called by a page in Jira", () => {
  let example: Awaited<ReturnType<typeof startExample>>;
  beforeAll(async () => {
    example = await startExample("my-issues/server.js", { APP_URL: publisher.url, SITE, AUDIENCE });
  });
  afterAll(() => example.close());

  async function call(changes: Partial<Token>): Promise<Response> {
    const assertion: Token = {
      alg: "ES256",
      typ: "assertion+jwt",
      iss: `${publisher.url}/sites/${SITE}/jira`,
      aud: AUDIENCE,
      sub: GRACE.accountId,
      seconds: 60,
    };
    const headers = { authorization: `Bearer ${await sign({ ...assertion, ...changes })}` };
    return fetch(`http://127.0.0.1:${example.port}/from-jira`, { method: "POST", headers });
  }

  it("takes an assertion", async () => {
    const response = await call({});
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ accountId: GRACE.accountId });
  });

  it.each<[what: string, changes: () => Partial<Token>]>([
    ["of Confluence on the same site", () => ({ iss: `${publisher.url}/sites/${SITE}/confluence` })],
    ["of another site", () => ({ iss: `${publisher.url}/sites/globex.atlassian.net/jira` })],
    ["of another app", () => ({ iss: `https://evil.example/sites/${SITE}/jira` })],
    ["that is another kind of token", () => ({ typ: "JWT" })],
    ["that doesn't say what it is", () => ({ typ: undefined })],
    ...WRONG_AUDIENCES.map(([what, changes]): [string, () => Partial<Token>] => [what, () => changes]),
    ["signed by another algorithm", () => ({ alg: "RS256" })],
    ["that is over", () => ({ seconds: -10 })],
  ])("takes none %s", async (_what, changes) => {
    expect((await call(changes())).status).toBe(401);
  });
});

describe("mcp, called by an assistant", () => {
  let example: Awaited<ReturnType<typeof startExample>>;
  beforeAll(async () => {
    const CERTS_URL = `${publisher.url}/cdn-cgi/access/certs`;
    const env = { APP_URL: publisher.url, SITE, TEAM_DOMAIN, AUDIENCE, CERTS_URL };
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
        "cf-access-jwt-assertion": await sign({ ...accessJwt, ...changes }),
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
