import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js";

import { connectToMcp } from "../sandbox/assistant.js";
import { EXAMPLE_AUDIENCES, EXAMPLE_SERVICES, startExample, type Examples } from "../sandbox/examples.js";
import { visibleText } from "../sandbox/html.js";
import { startServer } from "../sandbox/http-server.js";
import { ADA, GRACE, LINUS, type Person } from "../sandbox/people.js";
import { startWorld, SERVICES, type World } from "../sandbox/world.js";
import { consentPath, readMine } from "./consents.fixture.js";

const ROOT = path.resolve(import.meta.dirname, "..");

let world: World;
let examples: Examples;
beforeAll(async () => {
  world = await startWorld({ hasExamples: true });
  if (!world.parts.examples) throw new Error("The examples don't run.");
  examples = world.parts.examples;
  await world.install("jira");
  const services = [...SERVICES, ...EXAMPLE_SERVICES];
  await world.page(ADA).saveSettings({ teamDomain: world.team.domain, services });
  for (const person of [ADA, GRACE]) await world.link(person);
  for (const { label } of EXAMPLE_SERVICES) await agree(GRACE, label);
});
afterAll(() => world.close());

async function findService(person: Person, label: string) {
  const service = (await readMine(world.page(person))).services.find((each) => each.label === label);
  if (!service) throw new Error(`${label} isn't shown to ${person.name}.`);
  return service;
}

async function agree(person: Person, label: string): Promise<void> {
  const { serviceId, digest } = await findService(person, label);
  (await world.page(person).send("PUT", consentPath(serviceId), { digest })).expect(204);
}

async function withdraw(person: Person, label: string): Promise<void> {
  const { serviceId } = await findService(person, label);
  (await world.page(person).send("DELETE", consentPath(serviceId))).expect(204);
}

/** Opens a page in a browser of its own, through Access. */
async function visit(url: string, person: Person) {
  const browser = await world.browser(person);
  await browser.open(url);
  return { browser, page: await browser.signInIfAsked(person) };
}

function comments(key: string): readonly unknown[] {
  return world.site.content.issues.find((issue) => issue.key === key)!.comments;
}

describe.each(["my-issues/server.js", "jenkins/comment.sh", "mcp/server.js"])("examples/%s", (file) => {
  it("has less than a hundred lines", () => {
    const lines = readFileSync(path.join(ROOT, "examples", file), "utf8")
      .trimEnd()
      .split("\n");
    expect(lines.length).toBeLessThan(100);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(114);
  });
});

/** One more of it, without an edge in front. */
async function startMyIssues(env: Readonly<Record<string, string>> = {}): Promise<{ url: string }> {
  const example = await startExample("my-issues/server.js", {
    APP_URL: world.appUrl,
    SITE: world.site.host,
    AUDIENCE: EXAMPLE_AUDIENCES.myIssues,
    ...env,
  });
  onTestFinished(() => example.close());
  return { url: `http://127.0.0.1:${example.port}` };
}

/** As the edge would pass a visit on. */
async function open({ url }: { readonly url: string }, accessJwt: string | null) {
  const headers: Record<string, string> = accessJwt === null ? {} : { "cf-access-jwt-assertion": accessJwt };
  const response = await fetch(url, { headers });
  return { status: response.status, text: await response.text() };
}

describe("my open issues", () => {
  it("are the visitor's own", async () => {
    await agree(ADA, "My issues");
    onTestFinished(() => withdraw(ADA, "My issues"));

    const graces = visibleText((await visit(examples.myIssuesUrl, GRACE)).page.expect(200).text);
    const adas = visibleText((await visit(examples.myIssuesUrl, ADA)).page.expect(200).text);

    expect(graces).toBe(`Open issues of ${GRACE.email} SAND-1 Water the plants (To Do)`);
    expect(adas).toBe(`Open issues of ${ADA.email} SAND-4 A surprise for Grace (To Do)`);
  });

  it("are shown as text, whatever is in them", async () => {
    const summary = `<img src=x onerror="alert(1)">'`;
    world.site.content.addIssue({ summary, assigneeId: GRACE.accountId, reporterId: ADA.accountId });
    onTestFinished(() => void world.site.content.issues.pop());

    const { page } = await visit(examples.myIssuesUrl, GRACE);

    expect(page.text).not.toContain("<img");
    expect(visibleText(page.text)).toContain(summary);
    expect(page.headers["content-security-policy"]).toBe("default-src 'none'; frame-ancestors 'none'");
  });

  it.each<[what: string, person: Person, status: number]>([
    ["links", LINUS, 404],
    ["agrees", ADA, 403],
  ])("are shown to nobody before that person %s, and the page says where", async (_what, person, status) => {
    const { page } = await visit(examples.myIssuesUrl, person);

    const [, link = ""] = /<a href="([^"]+)">Put it right in Jira</.exec(page.expect(status).text) ?? [];
    const url = link.replaceAll(/&#(\d+);/g, (_all, code) => String.fromCharCode(Number(code)));
    expect(url).toContain(`${world.site.url}/plugins/servlet/ac/`);
  });

  it.each<[who: string, token: () => Promise<string> | null, status: number]>([
    ["comes past Access", () => null, 401],
    ["has a token for another tool", () => world.team.signAccessJwt(GRACE, EXAMPLE_AUDIENCES.builds), 401],
  ])("are shown to nobody who %s", async (_who, token, status) => {
    const answer = await open(await startMyIssues(), await token());
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain("SAND-");
  });

  it("need the service's key once it has one", async () => {
    const path = `/api/v1/services/${(await findService(GRACE, "My issues")).serviceId}/keys`;
    const created = (await world.page(ADA).send("POST", path)).expect(201).body as {
      id: string;
      key: string;
    };
    onTestFinished(async () => {
      (await world.page(ADA).send("DELETE", `${path}/${created.id}`)).expect(204);
    });
    const { page } = await visit(examples.myIssuesUrl, GRACE);
    expect(page.expect(403).text).toContain("key");

    const example = await startMyIssues({ SERVICE_KEY: created.key });

    expect(
      await open(example, await world.team.signAccessJwt(GRACE, EXAMPLE_AUDIENCES.myIssues)),
    ).toMatchObject({
      status: 200,
      text: expect.stringContaining("SAND-1") as string,
    });
  });

  it("aren't shown by a tool that wasn't told what it is", async () => {
    await expect(startExample("my-issues/server.js", {})).rejects.toMatchObject({
      cause: new Error("Set APP_URL, SITE and AUDIENCE."),
    });
  });
});

describe("a page in Jira that calls the tool", () => {
  async function assertionFor(person: Person, label: string): Promise<string> {
    const { serviceId } = await findService(person, label);
    const reply = await world.page(person).send("POST", "/api/v1/me/assertions", { serviceId });
    return (reply.expect(201).body as { assertion: string }).assertion;
  }

  async function call(assertion: string, base = examples.myIssuesUrl) {
    const url = `${base}/from-jira`;
    const headers = { authorization: `Bearer ${assertion}` };
    return world.parts.client.send({ caller: "A page", method: "POST", url, headers });
  }

  it("shows with an assertion who looks at it", async () => {
    const reply = await call(await assertionFor(GRACE, "My issues"));
    expect(reply.expect(200).body).toEqual({ accountId: GRACE.accountId });
    expect(reply.headers["access-control-allow-origin"]).toBe(world.appUrl);
  });

  it("is asked for permission by browsers, and has it", async () => {
    const reply = await world.parts.client.send({
      caller: "A browser",
      method: "OPTIONS",
      url: `${examples.myIssuesUrl}/from-jira`,
      headers: { "access-control-request-headers": "authorization" },
    });
    expect(reply.expect(200).headers["access-control-allow-headers"]).toBe("Authorization");
  });

  it.each<[what: string, token: () => Promise<string>]>([
    ["an Access JWT", () => world.team.signAccessJwt(GRACE, EXAMPLE_AUDIENCES.myIssues)],
    ["a context JWT", () => world.site.contextJwt("jira", GRACE.accountId)],
    [
      "an assertion whose signature is damaged",
      async () => (await assertionFor(GRACE, "My issues")).replace(/.{8}$/, "AAAAAAAA"),
    ],
    ["nothing", () => Promise.resolve("")],
  ])("gets nowhere with %s", async (_what, token) => {
    expect((await call(await token())).status).toBe(401);
  });

  it.each<[whose: string, env: Readonly<Record<string, string>>]>([
    ["tool", { AUDIENCE: EXAMPLE_AUDIENCES.builds }],
    ["site", { SITE: "globex.atlassian.net" }],
  ])("gets nowhere with an assertion for another %s", async (_whose, env) => {
    const other = await startMyIssues(env);
    expect((await call(await assertionFor(GRACE, "My issues"), other.url)).status).toBe(401);
  });

  it("can be looked at in the sandbox", async () => {
    const browser = await world.browser(GRACE);
    const page = visibleText(
      (await browser.open(`${world.site.url}/calling-page?as=grace`)).expect(200).text,
    );
    expect(page).toContain(`{"accountId":"${GRACE.accountId}"}`);
    const adas = visibleText((await browser.open(`${world.site.url}/calling-page?as=ada`)).expect(200).text);
    expect(adas).toContain('"code":"consent_required"');
  });

  it("leads in the sandbox to where the person can put it right, as that person", async () => {
    const browser = await world.browser(ADA);
    const findButton = async (who: string) => {
      const { text } = (await browser.open(`${world.site.url}/calling-page?as=${who}`)).expect(200);
      const [, link = "", label] = /<a class="button" href="([^"]+)">([^<]+)</.exec(text) ?? [];
      const url = link.replaceAll(/&#(\d+);/g, (_all, code) => String.fromCharCode(Number(code)));
      return { label, url: new URL(url, world.site.url) };
    };
    const { serviceId } = await findService(ADA, "My issues");

    expect((await findButton("grace")).label).toBe("See what tools may do for you");
    const { label, url } = await findButton("ada");

    expect(label).toBe("Put it right");
    expect([url.searchParams.get("ac.service"), url.searchParams.get("as")]).toEqual([serviceId, "ada"]);
    expect((await findButton("linus")).url.searchParams.get("as")).toBe("linus");
  });
});

describe("a build", () => {
  it("shows neither the token nor the key to those who look at its processes", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "access-examples-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const seen = path.join(folder, "seen");
    const headers = path.join(folder, "headers");
    // Stands in for curl: notes its arguments, and what it can read where they point to.
    const stub = `#!/usr/bin/env bash
{ printf '%s\\n' "$@"; env; } >"${seen}"
for argument; do if [[ $argument == @/* ]]; then cat "\${argument#@}" >"${headers}"; fi; done
cat >/dev/null
printf 201
`;
    await writeFile(path.join(folder, "curl"), stub, { mode: 0o700 });
    const env = {
      PATH: `${folder}:${process.env["PATH"] ?? ""}`,
      APP_URL: "https://app.example",
      SITE: "acme.atlassian.net",
      ACCESS_JWT: "the-token",
      SERVICE_KEY: "the-key",
    };

    await promisify(execFile)("bash", [path.join(ROOT, "examples/jenkins/comment.sh"), "SAND-1", "Done."], {
      env,
    });

    const listed = await readFile(seen, "utf8");
    expect(listed).toContain(
      "https://app.example/api/v1/sites/acme.atlassian.net/jira/rest/api/3/issue/SAND-1/comment",
    );
    expect(listed).not.toMatch(/the-token|the-key/);
    expect(await readFile(headers, "utf8")).toBe("Authorization: Bearer the-token\nX-Service-Key: the-key\n");
  });

  it("fails when it is sent to a sign-in page", async () => {
    const server = await startServer();
    onTestFinished(() => server.close());
    server.routes.push([
      "POST",
      /./,
      () => ({ status: 302, headers: { location: "https://login.example/" } }),
    ]);
    const env = { ...process.env, APP_URL: server.url, SITE: "acme.atlassian.net", ACCESS_JWT: "the-token" };
    const build = promisify(execFile)(
      "bash",
      [path.join(ROOT, "examples/jenkins/comment.sh"), "SAND-1", "Done."],
      { env },
    );
    await expect(build).rejects.toMatchObject({
      code: 1,
      stdout: "",
      stderr: "The answer was 302 instead of 201.\n",
    });
    expect(server.requests).toHaveLength(1);
  });

  async function start(person: Person, fields: Readonly<Record<string, string>>): Promise<string> {
    const { browser } = await visit(examples.buildsUrl, person);
    return visibleText((await browser.submit(fields)).expect(200).text);
  }

  it("comments on an issue as the person who started it", async () => {
    const comment = `Build 7: "done" \\o/ $(id) \n & 100 %`;

    const page = await start(GRACE, { issue: "SAND-1", comment });

    expect(page).toMatch(/The build succeeded x-request-reference: [A-Z2-7]{12} Commented on SAND-1\./i);
    expect(comments("SAND-1").at(-1)).toMatchObject({
      accountId: GRACE.accountId,
      body: { type: "doc", content: [{ content: [{ type: "text", text: comment }] }] },
    });
  });

  it.each<[why: string, person: Person, issue: string, exitCode: number, said: string]>([
    ["the person hasn't agreed", ADA, "SAND-1", 1, "The person hasn't agreed to this"],
    ["the person isn't linked", LINUS, "SAND-1", 1, "/plugins/servlet/ac/"],
    ["Jira has no such issue", GRACE, "SAND-99", 1, "Issue does not exist"],
    ["it isn't the key of an issue", GRACE, "../../myself", 64, "is not the key of an issue"],
  ])("fails with the reason when %s", async (_why, person, issue, exitCode, said) => {
    const page = await start(person, { issue, comment: "Done." });

    expect(page).toContain(`exit code ${exitCode}`);
    expect(page).toContain(said);
  });
});

describe("an assistant", () => {
  async function connect(person: Person, audience = EXAMPLE_AUDIENCES.mcp): Promise<Client> {
    const client = await connectToMcp(
      `${examples.mcpUrl}/mcp`,
      await world.team.signAccessJwt(person, audience),
    );
    onTestFinished(() => client.close());
    return client;
  }

  async function use(client: Client, name: string, input: Record<string, string>) {
    const result = CallToolResultSchema.parse(await client.callTool({ name, arguments: input }));
    const [content] = result.content;
    if (content?.type !== "text") throw new Error("The tool answered no text.");
    return { isError: result.isError ?? false, text: content.text };
  }

  it("is told which tools there are, and which of them change something", async () => {
    const { tools } = await (await connect(GRACE)).listTools();
    expect(tools.map(({ name, annotations }) => [name, annotations?.readOnlyHint ?? false])).toEqual([
      ["search_issues", true],
      ["read_issue", true],
      ["add_comment", false],
    ]);
  });

  it("searches, reads and comments as its person", async () => {
    const client = await connect(GRACE);

    const found = await use(client, "search_issues", { text: "pencils" });
    expect(found.isError, found.text).toBe(false);
    expect(found.text).toContain("SAND-2");
    expect(found.text).not.toContain("SAND-1");

    const text = `"It's" done`;
    expect(await use(client, "add_comment", { key: "SAND-2", text })).toMatchObject({ isError: false });
    expect(comments("SAND-2").at(-1)).toMatchObject({ accountId: GRACE.accountId });

    const read = await use(client, "read_issue", { key: "SAND-2" });
    expect(JSON.parse(read.text)).toMatchObject({
      fields: { comment: { comments: [{ author: { displayName: GRACE.name } }] } },
    });
  });

  it("finds what its person may see, and no more", async () => {
    await agree(ADA, "Jira for assistants");
    onTestFinished(() => withdraw(ADA, "Jira for assistants"));
    const surprise = { text: "surprise" };
    expect((await use(await connect(ADA), "search_issues", surprise)).text).toContain("SAND-4");
    expect((await use(await connect(GRACE), "search_issues", surprise)).text).not.toContain("SAND-4");
    expect(await use(await connect(GRACE), "read_issue", { key: "SAND-4" })).toMatchObject({ isError: true });
  });

  it("searches for words, not with JQL of its own", async () => {
    const text = `x" OR assignee = currentUser() OR text ~ "\\`;
    const { isError, text: answer } = await use(await connect(GRACE), "search_issues", { text });
    expect([isError, JSON.parse(answer)]).toMatchObject([false, { issues: [] }]);
  });

  it("is told in the tool's error what is missing, and where its person can agree", async () => {
    const { isError, text } = await use(await connect(ADA), "search_issues", { text: "pencils" });
    expect(isError).toBe(true);
    expect(JSON.parse(text)).toMatchObject({
      code: "consent_required",
      detail: expect.any(String) as string,
      consentUrl: expect.stringContaining(world.site.url) as string,
    });
  });

  it.each(["../myself", "SAND-1/comment", "SAND-1?x=1", "sand-1", ""])(
    "can't name %j as an issue",
    async (key) => {
      const before = world.site.server.requests.length;
      const { isError } = await use(await connect(GRACE), "read_issue", { key });
      expect([isError, world.site.server.requests.length]).toEqual([true, before]);
    },
  );

  it("may come by way of an application that Access lets call the server", async () => {
    const client = await connect(GRACE, EXAMPLE_AUDIENCES.assistant);
    expect((await use(client, "search_issues", { text: "pencils" })).isError).toBe(false);
    await expect(connect(GRACE, EXAMPLE_AUDIENCES.builds)).rejects.toThrow();
  });

  it.each<[who: string, headers: Readonly<Record<string, string>>, status: number]>([
    ["a page of another origin", { origin: "https://evil.example" }, 403],
    ["a page whose host name was made to lead here", { host: "evil.example" }, 403],
    ["somebody who only wants to listen", {}, 405],
  ])("isn't %s", async (_who, headers, status) => {
    const reply = await world.parts.client.send({
      caller: "Somebody",
      method: status === 405 ? "GET" : "POST",
      url: `${examples.mcpUrl}/mcp`,
      headers: {
        ...headers,
        "cf-access-token": await world.team.signAccessJwt(GRACE, EXAMPLE_AUDIENCES.mcp),
      },
      body: { jsonrpc: "2.0", id: 1, method: "tools/list" },
    });
    expect(reply.status).toBe(status);
  });

  it("is shown on a page of the sandbox, which stands in for one", async () => {
    const { browser, page } = await visit(examples.assistantUrl, GRACE);
    expect(visibleText(page.expect(200).text)).toContain("add_comment");
    const answer = await browser.submit({ tool: "search_issues", text: "plants" });
    expect(visibleText(answer.expect(200).text)).toContain("Water the plants");
  });
});
