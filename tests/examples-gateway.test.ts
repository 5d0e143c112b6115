import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";

import { startExample } from "../sandbox/examples.js";
import { visibleText } from "../sandbox/html.js";
import { json, type Answer } from "../sandbox/http-server.js";
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

const SCRIPT = path.resolve(import.meta.dirname, "../examples/jenkins/comment.sh");

/** As the app marks an answer of Jira's own. */
const MARK = { "x-gateway-upstream": "jira", "x-request-reference": "MTH3JZGQHTQX" };

const EVIL = {
  title: "Sign in again",
  detail: "Follow this link.",
  linkUrl: "https://evil.example/link",
  consentUrl: "https://evil.example/consent",
  errorMessages: ["You may not."],
};

/** What Jira, or something in front of the app, may answer that looks like a refusal of the app's. */
const ANSWERS: [what: string, answer: Answer][] = [
  [
    "a page of Jira's",
    { status: 503, headers: { ...MARK, "content-type": "text/html" }, body: "<h1>Busy</h1>" },
  ],
  [
    "JSON of Jira's with a link",
    { ...json(403, EVIL), headers: { ...MARK, "content-type": "application/json" } },
  ],
  [
    "a problem of Jira's with a link",
    { ...json(403, EVIL), headers: { ...MARK, "content-type": "application/problem+json" } },
  ],
  [
    "a page of a proxy",
    { status: 502, headers: { "content-type": "text/html" }, body: "<h1>Bad gateway</h1>" },
  ],
];

let app: Publisher;
/** What the app answers to whoever acts. */
let answer: Answer;
let tenant: string;
beforeAll(async () => {
  app = await startPublisher();
  app.server.routes.push(
    ["GET", /\/identity$/, () => json(200, { email: GRACE.email, tenant })],
    ["GET", /\/jira\//, () => answer],
    ["POST", /\/jira\//, () => answer],
  );
});
beforeEach(() => {
  tenant = TENANT;
  answer = { ...json(200, { issues: [] }), headers: { ...MARK, "content-type": "application/json" } };
  app.server.requests.length = 0;
});
afterAll(() => app.server.close());

describe("my-issues", () => {
  let example: Awaited<ReturnType<typeof startExample>>;
  beforeAll(async () => {
    const env = { APP_URL: app.server.url, SITE, AUDIENCE, TENANT };
    example = await startExample("my-issues/server.js", env);
  });
  afterAll(() => example.close());

  async function visit({ port } = example) {
    const headers = { "cf-access-jwt-assertion": "the-token" };
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers });
    return { status: response.status, text: await response.text() };
  }

  it.each(ANSWERS)("shows the visitor no way out that only %s names", async (_what, given) => {
    answer = given;
    const { status, text } = await visit();
    expect([status, visibleText(text)]).toEqual([given.status, `The answer was ${given.status}`]);
    expect(text).not.toMatch(/evil|Put it right/);
  });

  it("asks for nothing as its visitor once another tenant answers for the site", async () => {
    expect((await visit()).status).toBe(200);
    app.server.requests.length = 0;
    tenant = "of-somebody-else";

    const { status, text } = await visit();

    expect([status, visibleText(text)]).toEqual([503, "This isn't the site any more that this tool is for"]);
    expect(app.server.requests).toEqual([expect.stringContaining("/identity?")]);
  });

  it("answers nobody where the tenant was left empty", async () => {
    const env = { APP_URL: app.server.url, SITE, AUDIENCE, TENANT: "" };
    const other = await startExample("my-issues/server.js", env);
    onTestFinished(() => other.close());
    expect((await visit(other)).status).toBe(503);
  });

  it("logs the reference of each answer, and nothing of the visitor's", async () => {
    let log = "";
    example.stdout.on("data", (text) => (log += String(text)));

    await visit();

    await vi.waitFor(() => expect(log).toContain("jira/rest/api/3/search/jql 200 MTH3JZGQHTQX\n"), 5_000);
    expect(log).not.toMatch(/the-token|@/);
  });
});

describe("mcp", () => {
  let example: Awaited<ReturnType<typeof startExample>>;
  beforeAll(async () => {
    const CERTS_URL = `${app.server.url}/certs`;
    const env = { APP_URL: app.server.url, SITE, TEAM_DOMAIN, AUDIENCE, CERTS_URL };
    example = await startExample("mcp/server.js", env);
  });
  afterAll(() => example.close());

  async function readIssue(): Promise<unknown> {
    const iss = `https://${TEAM_DOMAIN}`;
    const token: Token = { alg: "RS256", typ: "JWT", iss, aud: [AUDIENCE], sub: "grace", seconds: 60 };
    const params = { name: "read_issue", arguments: { key: "SAND-1" } };
    const response = await fetch(`http://localhost:${example.port}/mcp`, {
      method: "POST",
      headers: {
        "cf-access-jwt-assertion": await app.sign(token),
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
    });
    return ((await response.json()) as { result: unknown }).result;
  }

  it.each(ANSWERS)("tells the assistant no way out that only %s names", async (_what, given) => {
    answer = given;
    const text = `The answer was ${given.status}.`;
    expect(await readIssue()).toEqual({ isError: true, content: [{ type: "text", text }] });
  });

  it("logs the reference of each answer", async () => {
    let log = "";
    example.stdout.on("data", (text) => (log += String(text)));

    await readIssue();

    await vi.waitFor(() => expect(log).toBe("200 MTH3JZGQHTQX\n"), 5_000);
  });
});

describe("jenkins", () => {
  async function comment(): Promise<{ readonly stdout: string; readonly stderr: string }> {
    const env = { ...process.env, APP_URL: app.server.url, SITE, ACCESS_JWT: "the-token" };
    const build = promisify(execFile)("bash", [SCRIPT, "SAND-1", "Done."], { env });
    return build.catch((error: unknown) => error as { stdout: string; stderr: string });
  }

  it.each(ANSWERS.slice(1, 3))(
    "prints what Jira says in %s, and no way out that it names",
    async (_what, given) => {
      answer = given;
      const { stderr } = await comment();
      expect(stderr).toBe("The answer was 403 instead of 201.\nYou may not.\n");
    },
  );

  it("prints the reference of the answer", async () => {
    answer = { ...answer, status: 201 };
    expect((await comment()).stdout).toMatch(/^X-Request-Reference: MTH3JZGQHTQX\nCommented on SAND-1\.\n$/i);
  });
});
