import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { queryStringHash } from "../sandbox/jwt.js";
import { ADA, GRACE } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import type { ProblemCode } from "../src/errors.js";
import { HostileWorld, type Route } from "./hostile-input.fixture.js";
import { expectProblem } from "./refusals.fixture.js";

const JSON_TYPE = "Content-Type: application/json";
const LIMIT = 64 * 1024;

/** Routes that read a body. */
const READERS: readonly Route[] = [
  { method: "PUT", path: "/api/v1/settings", as: "admin" },
  { method: "POST", path: "/api/v1/settings/check", as: "admin" },
  { method: "POST", path: "/api/v1/me/links", as: "member" },
  { method: "POST", path: "/installed", as: "atlassian" },
  { method: "POST", path: "/uninstalled", as: "atlassian" },
  { method: "POST", path: "/enabled", as: "atlassian" },
  { method: "POST", path: "/disabled", as: "atlassian" },
  { method: "POST", path: "/access/link/:attempt", as: "popup" },
];

/** Routes that read none. */
const NON_READERS: readonly Route[] = [
  { method: "POST", path: "/api/v1/me/link-attempts", as: "member" },
  { method: "GET", path: "/api/v1/me", as: "member" },
  { method: "GET", path: "/api/v1/links", as: "admin" },
  { method: "GET", path: "/api/v1/sites/:site/identity", as: "service" },
  { method: "GET", path: "/atlassian-connect.json", as: "anybody" },
];

/** Every route that there is, with its methods. */
const ROUTES: readonly (Omit<Route, "method"> & { readonly allow: string })[] = [
  { path: "/atlassian-connect.json", allow: "GET, HEAD", as: "anybody" },
  { path: "/installed", allow: "POST", as: "atlassian" },
  { path: "/uninstalled", allow: "POST", as: "atlassian" },
  { path: "/enabled", allow: "POST", as: "atlassian" },
  { path: "/disabled", allow: "POST", as: "atlassian" },
  { path: "/healthz", allow: "GET, HEAD", as: "anybody" },
  { path: "/readyz", allow: "GET, HEAD", as: "anybody" },
  { path: "/metrics", allow: "GET, HEAD", as: "anybody" },
  { path: "/openapi.json", allow: "GET, HEAD", as: "anybody" },
  { path: "/problems", allow: "GET, HEAD", as: "anybody" },
  { path: "/api/v1/settings", allow: "GET, HEAD, PUT", as: "admin" },
  { path: "/api/v1/settings/check", allow: "POST", as: "admin" },
  { path: "/api/v1/links", allow: "GET, HEAD", as: "admin" },
  { path: "/api/v1/links/x", allow: "DELETE", as: "admin" },
  { path: "/api/v1/audit", allow: "GET, HEAD", as: "admin" },
  { path: "/api/v1/me", allow: "GET, HEAD", as: "member" },
  { path: "/api/v1/me/link-attempts", allow: "POST", as: "member" },
  { path: "/api/v1/me/links", allow: "POST", as: "member" },
  { path: "/api/v1/me/links/x", allow: "DELETE", as: "member" },
  { path: "/link/start/:attempt", allow: "GET", as: "popup" },
  { path: "/access/link/:attempt", allow: "GET, HEAD, POST", as: "popup" },
  { path: "/api/v1/sites/:site/identity", allow: "GET, HEAD", as: "service" },
];

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "SEARCH", "LINK"];

describe.each([
  ["at the root of a host", ""],
  ["below a path of its host", "/some/path"],
])("the app %s", { timeout: 10_000 }, (_where, basePath) => {
  let hostile: HostileWorld;
  beforeAll(async () => {
    hostile = await HostileWorld.start(basePath);
  });
  afterAll(() => hostile.close());

  describe.each(READERS.map((route) => [`${route.method} ${route.path}`, route] as const))(
    "%s refuses",
    (_name, route) => {
      const isPopup = route.as === "popup";

      it.each<[what: string, body: string | Buffer, code: ProblemCode]>([
        ["half of an object", '{"version":', "malformed_request"],
        ["two values", "{} {}", "malformed_request"],
        ["a number", "1", "malformed_request"],
        ["a string", '"settings"', "malformed_request"],
        ["null", "null", "malformed_request"],
        ["JavaScript", "{version: 0}", "malformed_request"],
        ["bytes that aren't UTF-8", Buffer.from('{"version":"\xff"}', "latin1"), "malformed_request"],
        ["UTF-16", Buffer.from('{"version":0}', "utf16le"), "malformed_request"],
        ["a list", "[]", "validation_failed"],
        [
          "a value of another type in every place",
          '{"teamDomain":{},"services":1,"attempt":[],"accessJwt":{},"action":{},"key":[]}',
          "validation_failed",
        ],
        ["an infinite number", '{"version":1e999,"typed":1e999}', "validation_failed"],
        [
          "members of Object's prototype",
          '{"__proto__":{"typed":true},"constructor":{"prototype":1},"toString":1}',
          "validation_failed",
        ],
        ["a member whose name is no text", '{"\\ud800":1}', "validation_failed"],
        ["a member whose name is 3 KiB long", `{"${"x/~.[0]".repeat(400)}":1}`, "validation_failed"],
        [
          "hundreds of members that aren't known",
          `{${Array.from({ length: 400 }, (_, nth) => `"x${nth}":1`).join()}}`,
          "validation_failed",
        ],
        ["lists nested a thousand deep", `${"[".repeat(1000)}${"]".repeat(1000)}`, "validation_failed"],
        ...(isPopup
          ? []
          : ([
              ["nothing", "", "malformed_request"],
              ["lists nested 30,000 deep", `${"[".repeat(30_000)}${"]".repeat(30_000)}`, "validation_failed"],
              [
                "objects nested 10,000 deep",
                `${'{"x":'.repeat(10_000)}1${"}".repeat(10_000)}`,
                "validation_failed",
              ],
            ] as [string, string, ProblemCode][])),
      ])("for a body %s", async (_what, body, code) => {
        await hostile.expectRefusal(await hostile.message(route, [JSON_TYPE], body), code);
      });

      it.each<[what: string, headers: string[], body: string | Buffer]>([
        ["no type", [], "{}"],
        ["plain text", ["Content-Type: text/plain"], "{}"],
        ["XML", ["Content-Type: application/xml"], "<settings/>"],
        ["another kind of JSON", ["Content-Type: application/jsonlines"], "{}"],
        ["several parts", ["Content-Type: multipart/form-data; boundary=x"], "--x--"],
        ["two types", ["Content-Type: text/html, application/json"], "{}"],
        ["a Latin charset", ["Content-Type: application/json; charset=iso-8859-1"], "{}"],
        [
          "UTF-16, announced",
          ["Content-Type: application/json; charset=utf-16le"],
          Buffer.from("{}", "utf16le"),
        ],
        ["gzip", [JSON_TYPE, "Content-Encoding: gzip"], gzipSync("{}")],
        ["an unknown encoding", [JSON_TYPE, "Content-Encoding: br, gzip"], "{}"],
        ...(isPopup
          ? []
          : ([["a form", ["Content-Type: application/x-www-form-urlencoded"], "version=0"]] as [
              string,
              string[],
              string,
            ][])),
      ])("a body that comes as %s", async (_what, headers, body) => {
        await hostile.expectRefusal(await hostile.message(route, headers, body), "unsupported_media_type");
      });

      it.each<[what: string, headers: string[], body: string, code: ProblemCode]>([
        ["is larger than 64 KiB", [], " ".repeat(LIMIT + 1), "too_large"],
        ["only says that it is larger, and never comes", [`Content-Length: ${LIMIT + 1}`], "", "too_large"],
        ["says that it has a terabyte", [`Content-Length: ${1e12}`], "{", "too_large"],
        [
          "says so and waits to be asked for it",
          [`Content-Length: ${LIMIT + 1}`, "Expect: 100-continue"],
          "",
          "too_large",
        ],
        [
          "grows in chunks beyond 64 KiB, and then stalls",
          ["Transfer-Encoding: chunked"],
          chunk(" ".repeat(LIMIT + 1)),
          "too_large",
        ],
        [
          "has chunks that aren't",
          ["Transfer-Encoding: chunked"],
          "zz\r\n{}\r\n0\r\n\r\n",
          "malformed_request",
        ],
        ["has two lengths", ["Content-Length: 2", "Content-Length: 3"], "{}", "malformed_request"],
        [
          "has a length and chunks",
          ["Content-Length: 2", "Transfer-Encoding: chunked"],
          "0\r\n\r\n",
          "malformed_request",
        ],
        ["has a negative length", ["Content-Length: -2"], "{}", "malformed_request"],
        ["has another transfer encoding", ["Transfer-Encoding: gzip"], "{}", "malformed_request"],
      ])("a body that %s", async (_what, headers, body, code) => {
        await hostile.expectRefusal(await hostile.message(route, [JSON_TYPE, ...headers], body), code);
      });

      it("a body of which only the first half arrives before the sender hangs up", async () => {
        const message = await hostile.message(route, [JSON_TYPE, "Content-Length: 100"], '{"version":');

        await hostile.expectRefusal(message, "malformed_request", { end: true });
      });
    },
  );

  describe.each(NON_READERS.map((route) => [`${route.method} ${route.path}`, route] as const))(
    "%s, which reads no body,",
    (_name, route) => {
      it.each<[what: string, headers: string[], body: string]>([
        ["announced and never sent", ["Content-Length: 20000"], ""],
        ["in chunks without an end", ["Transfer-Encoding: chunked"], chunk(" ".repeat(LIMIT + 1))],
        ["that nobody could read", [JSON_TYPE, "Content-Encoding: gzip"], "\0\xff{"],
      ])("doesn't wait for one %s", async (_what, headers, body) => {
        const answer = await hostile.exchange(await hostile.message(route, headers, body));

        expect(answer.status, answer.text).toBeOneOf([200, 201]);
        await hostile.expectAlive();
      });

      it("refuses one that says it is larger than anything here", async () => {
        await hostile.expectRefusal(
          await hostile.message(route, [`Content-Length: ${LIMIT + 1}`], ""),
          "too_large",
        );
      });

      it("answers somebody who has closed their half of the connection", async () => {
        const answer = await hostile.exchange(await hostile.message(route, [], ""), { end: true });

        expect(answer.status, answer.text).toBeOneOf([200, 201]);
      });
    },
  );

  it.each(
    READERS.filter(({ as }) => as === "admin" || as === "member").map(
      (route) => [`${route.method} ${route.path}`, route] as const,
    ),
  )("%s doesn't wait for the body of somebody without credentials", async (_name, route) => {
    const message = await hostile.message(
      { ...route, as: "anybody" },
      [JSON_TYPE, "Content-Length: 60000"],
      "",
    );

    await hostile.expectRefusal(message, "connect_jwt_missing");
  });

  it.each(ROUTES.map((route) => [route.path, route] as const))(
    "%s takes its own methods and no others",
    async (_path, { allow, ...route }) => {
      for (const method of METHODS.filter((each) => !allow.split(", ").includes(each))) {
        const answer = await hostile.expectRefusal(
          await hostile.message({ ...route, method }, [], ""),
          "method_not_allowed",
        );
        expect(answer.headers["allow"], method).toBe(allow);
      }
    },
  );

  it.each<[path: string, as: Route["as"]]>([
    ["", "anybody"],
    ["/", "anybody"],
    ["/index.html", "anybody"],
    ["/.env", "anybody"],
    ["/.git/config", "anybody"],
    ["/admin/", "anybody"],
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
    ["/api/v1/sites/:site/jira/rest/api/3/myself", "service"],
    ["/link/start", "popup"],
    ["/link/start/", "popup"],
    ["/access/link", "popup"],
    ["/access/link/:attempt/more", "popup"],
    ["/access", "popup"],
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
    ["/public/../package.json", "anybody"],
    ["/public/%2e%2e/package.json", "anybody"],
    ["/public/..%2fpackage.json", "anybody"],
    ["/public/..%5cpackage.json", "anybody"],
    ["/public/%00", "anybody"],
    ["/public/%ff", "anybody"],
    ["/public/.hidden", "anybody"],
    ["/views/layout.hbs", "anybody"],
  ])("has nothing at %j, however one asks", async (path, as) => {
    for (const method of ["GET", "POST", "OPTIONS"]) {
      await hostile.expectRefusal(await hostile.message({ method, path, as }, [], ""), "not_found");
    }
  });

  describe.each<[method: string, prefix: string, suffix: string, as: Route["as"], unknown: ProblemCode]>([
    ["DELETE", "/api/v1/links/", "", "admin", "not_found"],
    ["DELETE", "/api/v1/me/links/", "", "member", "not_found"],
    ["GET", "/link/start/", "", "popup", "attempt_expired"],
    ["GET", "/access/link/", "", "popup", "attempt_expired"],
    ["POST", "/access/link/", "", "popup", "attempt_expired"],
    ["GET", "/api/v1/sites/", "/identity", "service", "access_jwt_untrusted"],
  ])("%s %s{id}%s refuses as an id", (method, prefix, suffix, as, unknown) => {
    it.each<[id: string, code: ProblemCode | null]>([
      ["..", null],
      ["%2e%2e", null],
      ["a%2Fb", null],
      ["%2e%2e%2fadmin", null],
      ["a%5Cb", null],
      ["a\\b", null],
      ["%00", null],
      ["%0d%0aSet-Cookie:%20a=b", null],
      ["a;b=c", null],
      ["__proto__", null],
      ["'%20OR%20'1'='1", null],
      ["%25", null],
      ["<script>", null],
      ["%F0%9F%92%A9", null],
      ["%ED%A0%80", "malformed_request"],
      ["%ff", "malformed_request"],
      ["%zz", "malformed_request"],
      ["%", "malformed_request"],
      ["x".repeat(8000), null],
    ])("%s", async (id, code) => {
      const route = { method, path: `${prefix}${id}${suffix}`, as };

      const answer = await hostile.expectRefusal(
        await hostile.message(
          route,
          ["Sec-Fetch-Site: same-origin"].filter(() => as === "popup"),
          "",
        ),
        code ?? unknown,
      );

      expect(answer.text).not.toContain("<script>");
    });
  });

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
    [`cursor=${Buffer.from("[-1]").toString("base64url")}`, "malformed_request"],
    [`cursor=${Buffer.from('{"__proto__":[1]}').toString("base64url")}`, "malformed_request"],
    [`cursor=${Buffer.from("[".repeat(5000)).toString("base64url")}`, "malformed_request"],
  ])("lists nothing for ?%s", async (query, code) => {
    for (const list of ["/api/v1/links", "/api/v1/audit"]) {
      await hostile.expectRefusal(
        await hostile.message({ method: "GET", path: `${list}?${query}`, as: "admin" }, [], ""),
        code,
      );
    }
  });

  it.each<[path: string, as: Route["as"]]>([
    ["/api/v1/links", "admin"],
    ["/api/v1/sites/:site/identity", "service"],
    ["/healthz", "anybody"],
  ])("%s minds neither thousands of parameters, nor odd ones", async (path, as) => {
    const many = Array.from({ length: 4000 }, (_, nth) => nth.toString(36)).join("&");
    for (const query of [
      many,
      "&".repeat(15_000),
      "__proto__=1&constructor=2",
      "a[b][c]=1&a[]=2",
      "%ff=%zz&=&?&#".slice(0, 12),
      "x=%00",
    ]) {
      const answer = await hostile.exchange(
        await hostile.message({ method: "GET", path: `${path}?${query}`, as }, [], ""),
      );
      expect(answer.status, answer.text).toBe(200);
    }
  });

  it.each<[what: string, bytes: string | Buffer, code: ProblemCode]>([
    ["a TLS handshake", Buffer.from("16030100c8010000c40303", "hex"), "malformed_request"],
    ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "malformed_request"],
    ["HTTP/0.9", "GET /\r\n\r\n", "malformed_request"],
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
    [
      "a header folded over two lines",
      get("/healthz", "X: a", " b", "Content-Length: x"),
      "malformed_request",
    ],
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
    [
      "17 KiB of small headers",
      get("/healthz", ...Array.from({ length: 3000 }, (_, nth) => `x${nth}: 1`)),
      "headers_too_large",
    ],
  ])("answers %s with a problem", async (_what, bytes, code) => {
    await hostile.expectRefusal(bytes, code);
  });

  it.each<[what: string, headers: string[]]>([
    ["1,000 headers", Array.from({ length: 1000 }, (_, nth) => `x${nth}: 1`)],
    ["a header 1,000 times", Array.from({ length: 1000 }, () => "X-Forwarded-For: 1.2.3.4")],
    ["1,000 cookies", [`Cookie: ${Array.from({ length: 1000 }, (_, nth) => `x${nth}=1`).join("; ")}`]],
    ["cookies that aren't", ['Cookie: ;;;=;%zz=%zz;__proto__=1;"="; __Host-link-=x']],
    ["an Accept header that nobody can read", [`Accept: ${"*/*;q=x,".repeat(500)}`]],
    [
      "an invitation to speak another protocol",
      ["Upgrade: h2c, websocket", "HTTP2-Settings: AAMAAABkAAQAAP__"],
    ],
    ["an unknown expectation", ["Expect: a miracle"]],
    ["a range", ["Range: bytes=0-0,-1"]],
    ["a condition", ["If-None-Match: *", "If-Modified-Since: Sat, 01 Jan 2050 00:00:00 GMT"]],
    ["another method to use instead", ["X-HTTP-Method-Override: DELETE", "X-Method: PUT"]],
    ["another URL to use instead", ["X-Original-URL: /api/v1/settings", "X-Rewrite-URL: /api/v1/settings"]],
  ])("isn't impressed by %s", async (_what, headers) => {
    for (const route of NON_READERS.filter(({ method }) => method === "GET")) {
      const answer = await hostile.exchange(await hostile.message(route, headers, ""));
      expect(answer.status, answer.text).toBe(200);
    }
    await hostile.expectAlive();
  });

  it("takes the path of a URL, whatever host it names, and never the host", async () => {
    const answer = await hostile.exchange(get(`http://evil.example${basePath}/atlassian-connect.json`));

    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain("evil.example");
    await hostile.expectRefusal(get(`http://evil.example${basePath}/api/v1/me`), "connect_jwt_missing");
  });

  it("never takes its own address from a request", async () => {
    const headers = [
      "X-Forwarded-Host: evil.example",
      "X-Forwarded-Proto: gopher",
      "Forwarded: host=evil.example",
    ];
    const begin = { method: "POST", path: "/api/v1/me/link-attempts", as: "member" } as const;
    const message = (await hostile.message(begin, headers, ""))
      .toString()
      .replace("Host: localhost", "Host: evil.example");

    const answer = await hostile.exchange(message);

    expect((JSON.parse(answer.text) as { url: string }).url).toMatch(`${hostile.appUrl}/link/start/`);
  });
});

const PATH = "/some/path";

describe("below a path", () => {
  let hostile: HostileWorld;
  beforeAll(async () => {
    hostile = await HostileWorld.start(PATH);
  });
  afterAll(() => hostile.close());

  it.each(
    [
      ...ROUTES.map(({ path, as, allow }) => ({ path, as, method: allow.split(", ")[0] ?? "" })),
      { method: "GET", path: "/public/style.css", as: "anybody" } as const,
    ].map((route) => [`${route.method} ${route.path}`, route] as const),
  )("%s isn't answered outside of it, or at a path that only looks like it", async (_name, route) => {
    for (const elsewhere of [
      "",
      "/some",
      "/some/pathology",
      "/some/path/some/path",
      "/some//path",
      "/some%2Fpath",
      "//some/path",
    ]) {
      const message = (await hostile.message(route, [], ""))
        .toString()
        .replace(` ${PATH}/`, ` ${elsewhere}/`);
      await hostile.expectRefusal(message, "not_found");
    }
  });

  it("the descriptor, the API's description and every problem name addresses that begin with it", async () => {
    const [descriptor, openapi] = await Promise.all(
      ["/atlassian-connect.json", "/openapi.json"].map(async (path) => {
        const message = await hostile.message({ method: "GET", path, as: "anybody" }, [], "");
        return JSON.parse((await hostile.exchange(message)).text) as unknown;
      }),
    );

    expect(descriptor).toMatchObject({ baseUrl: hostile.appUrl });
    expect(openapi).toMatchObject({ servers: [{ url: hostile.appUrl }] });
  });

  it("people link and are identified, and every step of it stays there", async () => {
    const { world } = hostile;
    const visited: string[] = [];
    world.parts.client.observer = { called: ({ url }) => visited.push(url), answered: () => undefined };

    await world.link(ADA);

    world.parts.client.observer = null;
    const ofApp = visited
      .map((url) => new URL(url))
      .filter(({ origin }) => origin === new URL(hostile.appUrl).origin);
    expect(ofApp.map(({ pathname }) => pathname.replace(/[\w-]{22}$/, "…"))).toEqual([
      `${PATH}/api/v1/me/link-attempts`,
      `${PATH}/link/start/…`,
      `${PATH}/access/link/…`,
      `${PATH}/access/link/…`,
      `${PATH}/api/v1/me/links`,
    ]);
    const token = await world.team.signAccessJwt(ADA, AUDIENCES.demo);
    expect((await world.identify(token)).expect(200).body).toMatchObject({ accountId: ADA.accountId });
  });

  it("pages find their styles, and the explanation of a problem, there", async () => {
    const { world } = hostile;
    const browser = await world.browser(GRACE);
    const popup = await world.page(GRACE).openPopup(await world.page(GRACE).beginLink(), browser);
    const [, style] = /<link rel="stylesheet" href="([^"]+)"/.exec(popup.text) ?? [];
    const styles = await browser.open(new URL(style ?? "", popup.call.url).href);
    expect([styles.status, styles.headers["content-type"]]).toEqual([200, "text/css; charset=utf-8"]);

    const problem = await browser.open(`${hostile.appUrl}/nowhere`);
    const [, explanation] = /<a href="([^"]+)"><code>not_found/.exec(problem.text) ?? [];
    const problems = await browser.open(new URL(explanation ?? "", problem.call.url).href);
    expect(problems.status).toBe(200);
    expect(problems.text).toContain('id="not_found"');
  });

  it("lifecycle events are bound to their path without it, as Atlassian signs them, and to the whole base URL", async () => {
    const { world, appUrl } = hostile;
    const { origin } = new URL(appUrl);
    const qshOf = (path: string) => queryStringHash("POST", `${origin}${path}`, origin);

    (await world.site.install("jira", appUrl, { claims: { qsh: qshOf("/installed") } })).expect(204);
    for (const claims of [{ qsh: qshOf(`${PATH}/installed`) }, { aud: [origin] }, { aud: [`${appUrl}/`] }]) {
      const refusal = await world.site.install("jira", appUrl, { claims });
      expectProblem(refusal, "connect_jwt_invalid", appUrl);
    }
  });
});

function get(target: string, ...headers: readonly string[]): string {
  return [`GET ${target} HTTP/1.1`, "Host: x", "Connection: close", ...headers, "", ""].join("\r\n");
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}
