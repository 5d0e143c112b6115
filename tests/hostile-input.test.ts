import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { ProblemCode } from "../src/errors.js";
import { HostileWorld, ROUTES, type Caller } from "./hostile-input.fixture.js";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "SEARCH", "LINK"];

let hostile: HostileWorld;
beforeAll(async () => {
  hostile = await HostileWorld.start();
});
afterAll(() => hostile.close());

describe("a path", { timeout: 5_000 }, () => {
  it.each(ROUTES.map((route) => [route.path, route] as const))(
    "%s takes its own methods and no others",
    async (_path, { allow, ...route }) => {
      for (const method of METHODS.filter((each) => !allow.split(", ").includes(each))) {
        const message = await hostile.message({ ...route, method });
        const { headers } = await hostile.expectRefusal(message, "method_not_allowed");
        expect(headers.allow, method).toBe(allow);
      }
      const head = await hostile.exchange(await hostile.message({ ...route, method: "HEAD" }));
      expect([head.status === 405, head.text]).toEqual([!allow.includes("HEAD"), ""]);
    },
  );

  it.each<[path: string, as: Caller]>([
    ["/", "anybody"],
    ["/index.html", "anybody"],
    ["/.env", "anybody"],
    ["/.git/config", "anybody"],
    ["/views/layout.hbs", "anybody"],
    ["/api", "anybody"],
    ["/api/v1", "anybody"],
    ["/api/v1/", "anybody"],
    ["/api/v2/me", "member"],
    ["/API/V1/ME", "member"],
    ["/api/v1/me/nothing", "member"],
    ["/api/v1/me/links/a/b", "member"],
    ["/api/v1/settings/nothing", "admin"],
    ["/api/v1/sites", "service"],
    ["/api/v1/sites/", "service"],
    ["/api/v1/sites/:site", "service"],
    ["/api/v1/sites/:site/jira", "service"],
    ["/api/v1/sites/:site/bitbucket/rest", "service"],
    ["/link/start", "popup"],
    ["/link/start/", "popup"],
    ["/access", "popup"],
    ["/access/link", "popup"],
    ["/access/link/:attempt/more", "popup"],
    ["/healthz/more", "anybody"],
    ["/healthz%2F", "anybody"],
    ["//healthz", "anybody"],
    ["/./healthz", "anybody"],
    ["/x/../healthz", "anybody"],
    ["/%68ealthz", "anybody"],
    ["/healthz;x=1", "anybody"],
    ["/api\\v1\\me", "member"],
    ["/api/v1/me%00", "member"],
    ["/%", "anybody"],
    ["/%ff", "anybody"],
    ["/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd", "anybody"],
    ["/public", "anybody"],
    ["/public/", "anybody"],
    ["/public/nothing.css", "anybody"],
    ["/public/style.css", "anybody"],
    ["/public/0123456789abcdef", "anybody"],
    ["/public/0123456789abcdef/", "anybody"],
    ["/public/0123456789abcdef/types.d.ts", "anybody"],
    ["/public/0123456789abcdef/../../package.json", "anybody"],
    ["/public/0123456789abcdef/%2e%2e/%2e%2e/package.json", "anybody"],
    ["/public/0123456789abcdef/vendor/lit-html/%2e%2e/express/index.js", "anybody"],
    ["/public/0123456789abcdef/vendor/lit-html/..%2fexpress/index.js", "anybody"],
    ["/public/../package.json", "anybody"],
    ["/public/%2e%2e/package.json", "anybody"],
    ["/public/..%2fpackage.json", "anybody"],
    ["/public/..%5cpackage.json", "anybody"],
    ["/public/%00", "anybody"],
    ["/public/%ff", "anybody"],
  ])("%s has nothing behind it, however one asks", async (path, as) => {
    for (const method of ["GET", "POST", "OPTIONS"]) {
      await hostile.expectRefusal(await hostile.message({ method, path, as }), "not_found");
    }
  });
});

describe.each<[method: string, prefix: string, suffix: string, as: Caller, unknown: ProblemCode]>([
  ["DELETE", "/api/v1/links/", "", "admin", "not_found"],
  ["DELETE", "/api/v1/me/links/", "", "member", "not_found"],
  ["DELETE", "/api/v1/me/consents/", "", "member", "not_found"],
  ["GET", "/link/start/", "", "popup", "attempt_expired"],
  ["GET", "/access/link/", "", "popup", "attempt_expired"],
  ["POST", "/access/link/", "", "popup", "attempt_expired"],
  ["GET", "/api/v1/sites/", "/identity", "service", "access_jwt_untrusted"],
  ["GET", "/api/v1/sites/", "/jira/rest/api/3/myself", "service", "access_jwt_untrusted"],
  ["DELETE", "/api/v1/services/x/keys/", "", "admin", "not_found"],
  ["POST", "/api/v1/services/", "/keys", "admin", "not_found"],
])("%s %s{id}%s", { timeout: 5_000 }, (method, prefix, suffix, as, unknown) => {
  it.each([
    "..",
    "%2e%2e",
    "a%2Fb",
    "%2e%2e%2fadmin",
    "a%5Cb",
    "a\\b",
    "%00",
    "%0d%0aSet-Cookie:%20a=b",
    "a;b=c",
    "__proto__",
    "'%20OR%20'1'='1",
    "%25",
    "<script>",
    "%F0%9F%92%A9",
    "x".repeat(8000),
  ])("knows nothing by the name of %.20s", async (id) => {
    const message = await hostile.message({ method, path: `${prefix}${id}${suffix}`, as });

    const { text } = await hostile.expectRefusal(message, unknown);

    expect(text).not.toContain("<script>");
  });

  it.each(["%ED%A0%80", "%ff", "%zz", "%"])("can't decode %s", async (id) => {
    const message = await hostile.message({ method, path: `${prefix}${id}${suffix}`, as });

    await hostile.expectRefusal(message, "malformed_request");
  });
});

describe("the gateway", { timeout: 5_000 }, () => {
  it.each(["jira", "confluence"])(
    "of %s takes the methods that products have, and no others",
    async (product) => {
      const path = `/api/v1/sites/:site/${product}/rest/api/3/myself`;
      for (const method of ["OPTIONS", "TRACE", "PROPFIND", "SEARCH", "LINK", "PURGE", "QUERY"]) {
        const message = await hostile.message({ method, path, as: "service" });
        const { headers } = await hostile.expectRefusal(message, "method_not_allowed");
        expect(headers.allow, method).toBe("GET, HEAD, POST, PUT, PATCH, DELETE");
      }
      const message = await hostile.message({ method: "GET", path, as: "service" });
      await hostile.expectRefusal(
        message,
        product === "jira" ? "purpose_not_allowed" : "access_jwt_untrusted",
      );
    },
  );
});

describe("a query", { timeout: 5_000 }, () => {
  it.each<[query: string, code: ProblemCode]>([
    ["limit=0", "validation_failed"],
    ["limit=-1", "validation_failed"],
    ["limit=1e2", "validation_failed"],
    ["limit=201", "validation_failed"],
    ["limit=99999999999999999999", "validation_failed"],
    ["limit=1&limit=2", "validation_failed"],
    ["limit=%00", "validation_failed"],
    ["limit=%ff", "validation_failed"],
    ["cursor=a&cursor=b", "validation_failed"],
    ["cursor=x", "malformed_request"],
    ["cursor=%00", "malformed_request"],
    [`cursor=${encode("[-1]")}`, "malformed_request"],
    [`cursor=${encode('{"__proto__":[1]}')}`, "malformed_request"],
    [`cursor=${encode("[".repeat(5000))}`, "malformed_request"],
  ])("%.60s lists nothing", async (query, code) => {
    for (const [list, as] of [
      ["/api/v1/links", "admin"],
      ["/api/v1/audit", "admin"],
      ["/api/v1/me/activity", "member"],
    ] as const) {
      const message = await hostile.message({ method: "GET", path: `${list}?${query}`, as });
      await hostile.expectRefusal(message, code);
    }
  });

  it.each<[path: string, as: Caller]>([
    ["/api/v1/links", "admin"],
    ["/api/v1/sites/:site/identity", "service"],
    ["/healthz", "anybody"],
  ])("of %s may hold what nobody asked for", async (path, as) => {
    for (const query of [
      "&".repeat(12_000),
      "__proto__=1&constructor=2",
      "a[b]=1&a[]=2",
      "%ff=%zz&=&?",
      "x=%00",
    ]) {
      const answer = await hostile.exchange(
        await hostile.message({ method: "GET", path: `${path}?${query}`, as }),
      );
      expect(answer.status, answer.text).toBe(200);
    }
  });

  it.each<[path: string, as: Caller]>([
    ["/api/v1/links", "admin"],
    ["/api/v1/sites/:site/identity", "service"],
  ])("of %s with thousands of parameters takes no longer than one without", async (path, as) => {
    const many = Array.from({ length: 3500 }, (_, nth) => nth.toString(36)).join("&");
    const message = await hostile.message({ method: "GET", path: `${path}?${many}`, as });
    const startedAt = performance.now();

    for (let nth = 0; nth < 10; nth++) expect((await hostile.exchange(message)).status).toBe(200);

    // Looking each of them up took 150 milliseconds.
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });
});

describe("a connection", { timeout: 5_000 }, () => {
  // prettier-ignore
  it.each<[what: string, bytes: string | Buffer, code: ProblemCode]>([
    ["a TLS handshake", Buffer.from("16030100c8010000c40303", "hex"), "malformed_request"],
    ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "malformed_request"],
    ["HTTP/0.9", "GET /\r\n\r\n", "not_found"],
    ["HTTP of the future", get("/healthz").replace("1.1", "9.9"), "malformed_request"],
    ["SSH", "SSH-2.0-OpenSSH_9.6\r\n\r\n", "malformed_request"],
    ["zeros", Buffer.alloc(2000), "malformed_request"],
    ["an unknown method", get("/healthz").replace("GET", "HELLO"), "malformed_request"],
    ["a method in lower case", get("/healthz").replace("GET", "get"), "malformed_request"],
    ["line ends of another kind", "GET /healthz HTTP/1.1\nHost: x\n\n", "malformed_request"],
    ["no Host", "GET /healthz HTTP/1.1\r\n\r\n", "malformed_request"],
    ["a header without a name", get("/healthz", ": x"), "malformed_request"],
    ["a space before the colon", get("/healthz", "Content-Length : 0"), "malformed_request"],
    ["a header with a zero in it", get("/healthz", "X: a\0b"), "malformed_request"],
    ["a length on two lines", get("/healthz", "Content-Length: 1", " 2"), "malformed_request"],
    ["a path without a slash", get("healthz"), "malformed_request"],
    ["the target *", get("*"), "malformed_request"],
    ["a fragment", get("/healthz#x"), "malformed_request"],
    ["a space in the path", get("/health z"), "malformed_request"],
    ["a path in Latin-1", Buffer.from(get("/h\xe9althz"), "latin1"), "malformed_request"],
    ["a path in UTF-8", get("/hëalthz"), "malformed_request"],
    ["backslashes for slashes", get("\\\\evil.example\\healthz"), "malformed_request"],
    ["a URL of another scheme", get("ftp://localhost/healthz"), "malformed_request"],
    ["a URL without a host", get("http:///healthz"), "malformed_request"],
    ["a tunnel", "CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n", "method_not_allowed"],
    ["a path of 17 KiB", get(`/${"x".repeat(17_000)}`), "headers_too_large"],
    ["a query of 17 KiB", get(`/healthz?${"x".repeat(17_000)}`), "headers_too_large"],
    ["a header of 17 KiB", get("/healthz", `Cookie: ${"x".repeat(17_000)}`), "headers_too_large"],
    ["17 KiB of small headers", get("/healthz", ...repeat(3000, (nth) => `x${nth}: 1`)), "headers_too_large"],
  ])("that brings %s gets a problem", async (_what, bytes, code) => {
    await hostile.expectRefusal(bytes, code);
  });

  // prettier-ignore
  it.each<[what: string, headers: string[]]>([
    ["1,000 headers", repeat(1000, (nth) => `x${nth}: 1`)],
    ["one header 500 times", repeat(500, () => "X-Forwarded-For: 1.2.3.4")],
    ["1,000 cookies", [`Cookie: ${repeat(1000, (nth) => `x${nth}=1`).join("; ")}`]],
    ["cookies that aren't", ['Cookie: ;;;=;%zz=%zz;__proto__=1;"="; __Host-link-=x']],
    ["an Accept header that nobody can read", [`Accept: ${"*/*;q=x,".repeat(500)}`]],
    ["an invitation to another protocol", ["Upgrade: h2c, websocket", "HTTP2-Settings: AAMAAABkAAQAAP__"]],
    ["an unknown expectation", ["Expect: a miracle"]],
    ["a range", ["Range: bytes=0-0,-1"]],
    ["conditions", ['If-None-Match: "x"', "If-Modified-Since: Sat, 01 Jan 2050 00:00:00 GMT"]],
    ["another method to use instead", ["X-HTTP-Method-Override: DELETE", "X-HTTP-Method: PUT"]],
    ["another URL to use instead", ["X-Original-URL: /api/v1/settings", "X-Rewrite-URL: /api/v1/settings"]],
  ])("isn't disturbed by %s", async (_what, headers) => {
    for (const [path, as] of [["/api/v1/me", "member"], ["/api/v1/sites/:site/identity", "service"]] as const) {
      const answer = await hostile.exchange(await hostile.message({ method: "GET", path, as }, headers));
      expect(answer.status, answer.text).toBe(200);
    }
    await hostile.expectAlive();
  });

  it("may name any host in a URL, which leads nowhere else", async () => {
    const answer = await hostile.exchange(get("http://evil.example/atlassian-connect.json"));

    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain("evil.example");
    await hostile.expectRefusal(get("http://evil.example/api/v1/me"), "connect_jwt_missing");
  });

  it("can't tell the app what its own address is", async () => {
    const begin = { method: "POST", path: "/api/v1/me/link-attempts", as: "member" } as const;
    const forwarded = [
      "X-Forwarded-Host: evil.example",
      "X-Forwarded-Proto: gopher",
      "Forwarded: host=evil.example",
    ];
    const message = (await hostile.message(begin, forwarded)).toString();

    const answer = await hostile.exchange(message.replace("Host: localhost", "Host: evil.example"));

    const { url } = JSON.parse(answer.text) as { url: string };
    expect(url.startsWith(`${hostile.appUrl}/link/start/`)).toBe(true);
  });
});

function get(target: string, ...headers: readonly string[]): string {
  return [`GET ${target} HTTP/1.1`, "Host: x", "Connection: close", ...headers, "", ""].join("\r\n");
}

function encode(text: string): string {
  return Buffer.from(text).toString("base64url");
}

function repeat(count: number, make: (nth: number) => string): string[] {
  return Array.from({ length: count }, (_, nth) => make(nth));
}
