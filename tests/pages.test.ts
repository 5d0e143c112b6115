import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { JwtOverrides } from "../sandbox/atlassian-site.js";
import { visibleText } from "../sandbox/html.js";
import type { Reply } from "../sandbox/http-client.js";
import { epochSeconds } from "../sandbox/jwt.js";
import { ADA, BUILD_BOT, CLEO, DORA, GRACE, type Person } from "../sandbox/people.js";
import { startWorld, type World } from "../sandbox/world.js";
import { PROBLEMS, type ProblemCode } from "../src/errors.js";
import type { Product } from "../src/tenants/tenant.js";

const ALL_JS = "https://connect-cdn.atl-paas.net/all.js";
const IN_A_FRAME = { accept: "text/html", "sec-fetch-dest": "iframe" };
const UNFRAMABLE = "frame-ancestors 'none'";

let world: World;
beforeAll(async () => {
  world = await startWorld({ hasEdge: false, env: { CONNECT_ALL_JS_URL: ALL_JS } });
  await world.prepare();
});
afterAll(() => world.close());

interface Visit {
  readonly person?: Person;
  readonly product?: Product;
  readonly jwt?: JwtOverrides;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
}

/** Opens a page as the product does: its parameters in the URL, and a token for exactly that URL. */
async function open(path: string, visit: Visit = {}): Promise<Reply> {
  const { person = ADA, product = "jira", method = "GET", headers = IN_A_FRAME } = visit;
  const url = `${world.appUrl}${path}?xdm_e=${encodeURIComponent("https://evil.example")}&cp=`;
  const token = await world.site.urlBoundJwt(product, person.accountId, "GET", url, visit.jwt);
  return world.parts.client.send({ caller: "A browser", method, url: `${url}&jwt=${token}`, headers });
}

function policyOf(reply: Reply): Readonly<Record<string, string>> {
  const policy = String(reply.headers["content-security-policy"]);
  return Object.fromEntries(
    policy.split(";").map((part) => part.split(/ (.*)/s).slice(0, 2) as [string, string]),
  );
}

function expectRefusal(reply: Reply, code: ProblemCode): void {
  expect(reply.status, reply.text).toBe(PROBLEMS[code].status);
  expect(visibleText(reply.text)).toContain(PROBLEMS[code].title);
}

describe("a page of the app", () => {
  it.each(["/admin", "/account"])("%s is a shell that holds nothing of the tenant", async (path) => {
    await world.link(GRACE);
    const page = (await open(path)).expect(200);
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(page.text).toContain(`<script src="${ALL_JS}" defer></script>`);
    for (const secret of [world.team.domain, ADA.accountId, GRACE.email, "eyJ"]) {
      expect(page.text).not.toContain(secret);
    }
    await world.page(GRACE).unlinkAll();
  });

  it("runs no script but the app's own files and the product's one", async () => {
    expect(policyOf(await open("/admin"))).toEqual({
      "default-src": "'none'",
      "script-src": `'self' ${ALL_JS}`,
      "style-src": "'self' https://connect-cdn.atl-paas.net",
      "img-src": "'self'",
      "connect-src": "'self'",
      "form-action": "'none'",
      "base-uri": "'none'",
      "frame-ancestors": world.site.url,
    });
  });

  it.each<[Product, string]>([
    ["jira", "jira"],
    ["confluence", "confluence"],
  ])("may be framed by the verified site alone, in %s, whatever the URL claims", async (product, name) => {
    const page = await open("/account", { product });
    expect(policyOf(page)["frame-ancestors"]).toBe(world.site.url);
    expect(page.text).not.toContain("evil.example");
    expect(page.text).toContain(`data-product="${name}"`);
    expect(page.headers["x-frame-options"]).toBeUndefined();
  });

  it.each(["document", "frame", "embed", "object", "empty", ""])(
    "is not shown to Sec-Fetch-Dest: %s",
    async (destination) => {
      const reply = await open("/admin", { headers: { ...IN_A_FRAME, "sec-fetch-dest": destination } });
      expectRefusal(reply, "browser_not_allowed");
      expect(reply.headers["content-security-policy"]).toContain(UNFRAMABLE);
    },
  );

  it("is shown to browsers that don't say what they load it for", async () => {
    (await open("/account", { headers: { accept: "text/html" } })).expect(200);
  });

  it("is for its own URL, method and parameters", async () => {
    const token = await world.site.urlBoundJwt("jira", ADA.accountId, "GET", `${world.appUrl}/admin?a=1`);
    for (const target of ["/account?a=1", "/admin?a=2", "/admin", "/admin?a=1&b=2"]) {
      const url = `${world.appUrl}${target}${target.includes("?") ? "&" : "?"}jwt=${token}`;
      const reply = await world.parts.client.send({
        caller: "A browser",
        method: "GET",
        url,
        headers: IN_A_FRAME,
      });
      expectRefusal(reply, "connect_jwt_invalid");
      expect(reply.headers["content-security-policy"]).toContain(UNFRAMABLE);
    }
    for (const path of ["/admin", "/account"]) {
      for (const method of ["HEAD", "POST", "OPTIONS"]) {
        const reply = await open(path, { method });
        expect([path, method, reply.status, reply.headers.allow]).toEqual([path, method, 405, "GET"]);
      }
    }
  });

  it("takes no context JWT, and no token but the one in its URL", async () => {
    const url = `${world.appUrl}/admin`;
    const context = await world.site.contextJwt("jira", ADA.accountId);
    const send = async (target: string, headers: Readonly<Record<string, string>>) =>
      world.parts.client.send({ caller: "A browser", method: "GET", url: target, headers });
    expectRefusal(await send(url, IN_A_FRAME), "connect_jwt_missing");
    expectRefusal(await send(`${url}?jwt=`, IN_A_FRAME), "connect_jwt_missing");
    expectRefusal(await send(`${url}?jwt=${context}`, IN_A_FRAME), "connect_jwt_invalid");
    const bound = await world.site.urlBoundJwt("jira", ADA.accountId, "GET", url);
    expectRefusal(await send(`${url}?jwt=${bound}&jwt=${bound}`, IN_A_FRAME), "ambiguous_credentials");
    const authorization = `JWT ${context}`;
    expectRefusal(
      await send(`${url}?jwt=${bound}`, { ...IN_A_FRAME, authorization }),
      "ambiguous_credentials",
    );
  });
});

describe("who may see a page", () => {
  it.each<[string, Product, ProblemCode, Person]>([
    ["/admin", "jira", "not_admin", GRACE],
    ["/admin", "jira", "not_admin", CLEO],
    ["/admin", "confluence", "not_admin", GRACE],
    ["/account", "jira", "account_inactive", DORA],
    ["/account", "jira", "account_inactive", BUILD_BOT],
  ])("refuses %s in %s as a page in the product's frame: %s", async (path, product, code, person) => {
    const reply = await open(path, { person, product });
    expectRefusal(reply, code);
    expect(policyOf(reply)["frame-ancestors"]).toBe(world.site.url);
    // Without it, the product would say that the app doesn't answer.
    expect(reply.text).toContain(ALL_JS);
  });

  it("shows /admin to an admin of that product", async () => {
    (await open("/admin", { person: CLEO, product: "confluence" })).expect(200);
  });

  it("refuses nobody's token in the frame", async () => {
    const reply = await open("/account", { jwt: { claims: { sub: undefined } } });
    expectRefusal(reply, "connect_jwt_invalid");
    expect(reply.text).toContain("Sign in to Jira or Confluence first.");
    expect(policyOf(reply)["frame-ancestors"]).toBe(world.site.url);
  });

  it("says in the frame that a page opened long ago has expired", async () => {
    const past = epochSeconds() - 3600;
    const reply = await open("/account", { jwt: { claims: { iat: past, exp: past + 900 } } });
    expectRefusal(reply, "connect_jwt_expired");
    expect(policyOf(reply)["frame-ancestors"]).toBe(world.site.url);
  });

  it("lets nobody frame the refusal of a token with a wrong signature", async () => {
    const reply = await open("/account", { jwt: { secret: "x".repeat(64) } });
    expectRefusal(reply, "connect_jwt_invalid");
    expect(reply.headers["content-security-policy"]).toContain(UNFRAMABLE);
    expect(reply.text).not.toContain(ALL_JS);
  });

  it("is told apart by what a browser accepts", async () => {
    expect((await open("/admin", { person: GRACE })).headers.vary).toContain("Accept");
  });

  it("sends its own URL, which holds a token, to nobody", async () => {
    for (const person of [ADA, GRACE]) {
      expect((await open("/admin", { person })).headers["referrer-policy"]).toBe("no-referrer");
    }
  });

  it("answers with a problem for who asks for JSON", async () => {
    const reply = await open("/admin", { person: GRACE, headers: { accept: "application/json" } });
    expect(reply.body).toMatchObject({ code: "not_admin", status: 403 });
  });

  it("refuses a disabled installation in its own frame", async () => {
    (await world.site.disable("confluence")).expect(204);
    const reply = await open("/account", { product: "confluence" });
    expectRefusal(reply, "connect_jwt_invalid");
    expect(policyOf(reply)["frame-ancestors"]).toBe(world.site.url);
    (await world.site.enable("confluence")).expect(204);
  });
});

describe("the files of the pages", () => {
  it("are all there, typed, and may be kept for good", async () => {
    for (const path of ["/admin", "/account"]) {
      const { text } = await open(path);
      const files = [...text.matchAll(/(?:href|src)="(\/[^"]+)"/g)].map(([, file]) => file ?? "");
      expect(files.length).toBeGreaterThan(3);
      for (const file of files) {
        const reply = await get(file);
        expect(reply.status, file).toBe(200);
        expect(reply.headers["content-type"]).toMatch(
          file.endsWith(".css") ? /^text\/css/ : /^text\/javascript/,
        );
        expect(reply.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
      }
    }
  });

  it("come with the library that they import", async () => {
    const version = await findVersion();
    (await get(`/public/${version}/vendor/lit-html/lit-html.js`)).expect(200);
    (await get(`/public/${version}/vendor/lit-html/package.json`)).expect(404);
    (await get(`/public/${version}/vendor/lit-html/../../package.json`)).expect(404);
  });

  it("of another release are not kept", async () => {
    const reply = (await get("/public/0123456789abcdef/style.css")).expect(200);
    expect(reply.headers["cache-control"]).toBe("no-cache");
  });

  it("are scripts and styles only", async () => {
    const version = await findVersion();
    for (const file of ["types.d.ts", "style.css.map", "", "nothing.js"]) {
      (await get(`/public/${version}/${file}`)).expect(404);
    }
  });

  async function get(path: string): Promise<Reply> {
    return world.parts.client.send({ caller: "A browser", method: "GET", url: `${world.appUrl}${path}` });
  }

  async function findVersion(): Promise<string> {
    return /\/public\/([0-9a-f]{16})\//.exec((await open("/account")).text)?.[1] ?? "";
  }
});
