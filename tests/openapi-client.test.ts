import { beforeAll, describe, expect, it } from "vitest";

import { startWorld } from "../sandbox/world.js";
import { compileClients } from "./openapi-client.fixture.js";

const IMPORTS = 'import { call, never, type Problem } from "./helper.js";\n';

/** What tools and pages do, in the words of the generated types. */
const PROGRAMS = {
  "asks who its visitor is": `
    export async function visitor(site: string): Promise<{ accountId: string; product: "jira" | "confluence" } | { linkUrl: string | undefined }> {
      const answer = await call("identify", { path: { site }, query: { product: "jira", audience: "a".repeat(64) } });
      if (answer.status === 200) return answer.json;
      if (answer.status === 404) {
        const code: "not_linked" = answer.problem.code;
        return { linkUrl: code && answer.problem.linkUrl };
      }
      if (answer.status === 429) return { linkUrl: answer.headers["Retry-After"] };
      throw new Error(answer.problem.code + answer.problem.reference + answer.headers["X-Request-Reference"]);
    }`,
  "acts through the gateway, and tells every refusal from the product's own answers": `
    export async function comment(site: string): Promise<string> {
      const answer = await call("postJira", { path: { site, path: "rest/api/3/issue/DEMO-1/comment" } });
      if (answer.status === 200 || answer.status === "default") {
        const upstream: "jira" | "confluence" = answer.headers["X-Gateway-Upstream"];
        return upstream;
      }
      if (answer.status !== 403) return answer.problem.title;
      switch (answer.problem.code) {
        case "consent_required":
          return answer.problem.consentUrl ?? "";
        case "proof_required":
          return answer.problem.linkUrl ?? "";
        case "service_key_required":
        case "service_token":
        case "email_domain_not_allowed":
        case "paused":
        case "purpose_not_allowed":
        case "browser_not_allowed":
        case "request_not_allowed":
        case "token_too_old":
        case "ip_not_allowed":
        case "account_inactive":
        case "scope_not_granted":
          return answer.problem.detail;
        default:
          return never(answer.problem.code);
      }
    }`,
  "searches with parameters of the product's own, and tells by its mark whose refusal it got": `
    export async function search(site: string, jql: string): Promise<string> {
      const query = { jql, fields: "summary,status" };
      const answer = await call("getJira", { path: { site, path: "rest/api/3/search/jql" }, query: { query } });
      if (answer.status === 200 || answer.status === "default") return answer.headers["X-Gateway-Upstream"];
      const upstream: "jira" | "confluence" | undefined = answer.headers["X-Gateway-Upstream"];
      return upstream ?? answer.problem.code;
    }`,
  "reads the settings and saves them with one service more": `
    export async function addService(audience: string): Promise<number | Problem> {
      const read = await call("getSettings", {});
      if (read.status !== 200) return read.problem;
      const service = {
        label: "Dashboard",
        audience,
        purposes: ["identify" as const, "act" as const],
        limits: { requests: [{ methods: ["GET" as const], path: "/rest/api/3/**" }], consent: "required" as const },
      };
      const { teamDomain, services, allowedEmailDomains, matching, paused, version } = read.json;
      const kept = services.map(({ id, label, audience, purposes }) => ({ id, label, audience, purposes }));
      const body = { teamDomain, services: [...kept, service], allowedEmailDomains, matching, paused, version };
      const saved = await call("replaceSettings", { body });
      if (saved.status === 200) return saved.json.version;
      if (saved.status === 422) for (const { field, pointer } of saved.problem.errors ?? []) void (field + pointer);
      return saved.problem;
    }`,
  "goes through all links, page by page": `
    export async function* everyEmail(): AsyncGenerator<string> {
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof links>> = await links(cursor);
        if (page.status !== 200) throw new Error(page.problem.detail);
        for (const { email, lastUsedAt } of page.json.items) yield email + (lastUsedAt ?? "never");
        cursor = page.json.nextCursor;
      } while (cursor !== null);
    }
    function links(cursor: string | null) {
      return call("listLinks", { query: { limit: "200", ...(cursor !== null && { cursor }) } });
    }
    export async function remove(id: string): Promise<"removed" | "gone"> {
      const answer = await call("removeLink", { path: { id } });
      if (answer.status === 204) return "removed";
      if (answer.status === 404) return "gone";
      throw new Error(answer.problem.code);
    }`,
  "shows a person what services may do, and lets them agree": `
    export async function agreeToAll(): Promise<string[]> {
      const me = await call("getMe", {});
      if (me.status !== 200) return [me.problem.code];
      const asking = me.json.services.filter(({ standing }) => standing === "undecided" || standing === "changed");
      for (const { serviceId, digest } of asking) {
        const agreed = await call("giveConsent", { path: { serviceId }, body: { digest } });
        if (agreed.status === 409) { const code: "consent_changed" = agreed.problem.code; return [code]; }
      }
      return me.json.links.map(({ standing }) => standing);
    }`,
  "takes what it is given for a page, and verifies with the published keys": `
    export async function assertion(serviceId: string, site: string): Promise<string> {
      const created = await call("createAssertion", { body: { serviceId } });
      if (created.status !== 201) return created.problem.code;
      const published = await call("listJiraAssertionKeys", { path: { site } });
      if (published.status !== 200) return published.problem.code;
      return created.json.assertion + published.json.keys.map(({ kid, x, y }) => kid + x + y).join();
    }`,
} as const;

/** Each is one mistake that the types have to catch. */
const MISTAKES = {
  "a call that isn't there": 'call("getEverything", {});',
  "a parameter left out": 'call("identify", { path: {} });',
  "a parameter that isn't there": 'call("identify", { path: { site: "x", tenant: "y" } });',
  "a value that a parameter can't have":
    'call("identify", { path: { site: "x" }, query: { product: "trello" } });',
  "a body left out": 'call("giveConsent", { path: { serviceId: "x" } });',
  "a body without what it needs": 'call("giveConsent", { path: { serviceId: "x" }, body: {} });',
  "a body with a field that isn't known": 'call("createAssertion", { body: { serviceId: "x", for: "me" } });',
  "a status that isn't answered": 'call("getMe", {}).then((answer) => answer.status === 418);',
  "a field that an answer doesn't have":
    'call("getMe", {}).then((answer) => answer.status === 200 && answer.json.email);',
  "a body where there is none":
    'call("removeLink", { path: { id: "x" } }).then((answer) => answer.status === 204 && answer.json.id);',
  "a refusal that another call has":
    'call("getMe", {}).then((answer) => answer.status === 403 && answer.problem.code === "ip_not_allowed");',
  "a code that no refusal has":
    'call("postJira", { path: { site: "x", path: "y" } }).then((answer) => answer.status === 403 && answer.problem.code === "forbidden");',
  "the product's mark taken for granted on what may be a refusal of this app's":
    'call("getJira", { path: { site: "x", path: "y" } }).then((answer) => answer.status === 502 && answer.headers["X-Gateway-Upstream"].length);',
  "a parameter of the product's that isn't text":
    'call("getJira", { path: { site: "x", path: "y" }, query: { query: { jql: 1 } } });',
  "the product's mark on an answer that is always this app's":
    'call("getMe", {}).then((answer) => answer.status === 403 && answer.headers["X-Gateway-Upstream"].length);',
  "a role of a link that isn't there":
    'call("getMe", {}).then((answer) => answer.status === 200 && answer.json.links[0]?.standing === "trusted");',
} as const;

describe("a client that is generated from openapi.json", () => {
  let complaints: ReadonlyMap<string, readonly string[]>;

  beforeAll(async () => {
    const programs = [
      ...Object.entries(PROGRAMS).map(([what, program]) => [what, IMPORTS + program]),
      ...Object.entries(MISTAKES).map(([what, mistake]) => [what, `${IMPORTS}void ${mistake}`]),
    ];
    complaints = await compileClients(
      await fetchDocument(),
      Object.fromEntries(programs) as Record<string, string>,
    );
  }, 120_000);

  it("has types that are sound in themselves", () => {
    expect([complaints.get("api"), complaints.get("helper")]).toEqual([[], []]);
  });

  it.each(Object.keys(PROGRAMS))("%s", (what) => {
    expect(complaints.get(what)).toEqual([]);
  });

  it.each(Object.keys(MISTAKES))("is told at once of %s", (what) => {
    expect(complaints.get(what)).toHaveLength(1);
  });
});

/** As anybody gets it. */
async function fetchDocument(): Promise<object> {
  const world = await startWorld({ hasEdge: false });
  try {
    return (await (await fetch(`${world.appUrl}/openapi.json`)).json()) as object;
  } finally {
    await world.close();
  }
}
