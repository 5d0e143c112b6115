import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { ProblemCode } from "../src/errors.js";
import { HostileWorld, type Route } from "./hostile-input.fixture.js";

const JSON_TYPE = "Content-Type: application/json";
const LIMIT = 64 * 1024;
const TOO_LARGE = " ".repeat(LIMIT + 1);

interface Reader extends Route {
  readonly isOptional?: true;
  readonly takesForms?: true;
}

const READERS: readonly Reader[] = [
  { method: "PUT", path: "/api/v1/settings", as: "admin" },
  { method: "POST", path: "/api/v1/settings/check", as: "admin", isOptional: true },
  { method: "POST", path: "/api/v1/me/links", as: "member" },
  { method: "PUT", path: "/api/v1/me/consents/x", as: "member" },
  { method: "POST", path: "/api/v1/me/assertions", as: "member" },
  { method: "POST", path: "/api/v1/me/links/x/confirm", as: "member" },
  { method: "POST", path: "/api/v1/me/news/seen", as: "member" },
  { method: "POST", path: "/installed", as: "atlassian" },
  { method: "POST", path: "/uninstalled", as: "atlassian" },
  { method: "POST", path: "/enabled", as: "atlassian" },
  { method: "POST", path: "/disabled", as: "atlassian" },
  { method: "POST", path: "/access/link/:attempt", as: "popup", isOptional: true, takesForms: true },
];

const NON_READERS: readonly Route[] = [
  { method: "POST", path: "/api/v1/me/link-attempts", as: "member" },
  { method: "GET", path: "/api/v1/me", as: "member" },
  { method: "GET", path: "/api/v1/links", as: "admin" },
  { method: "GET", path: "/sites/:site/jira/jwks.json", as: "anybody" },
  { method: "GET", path: "/api/v1/sites/:site/identity", as: "service" },
  { method: "GET", path: "/atlassian-connect.json", as: "anybody" },
];

let hostile: HostileWorld;
beforeAll(async () => {
  hostile = await HostileWorld.start();
});
afterAll(() => hostile.close());

describe.each(READERS.map((route) => [`${route.method} ${route.path}`, route] as const))(
  "%s refuses a body",
  { timeout: 5_000 },
  (_name, route) => {
    // prettier-ignore
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
      ["values of other types", '{"teamDomain":{},"services":1,"attempt":[],"accessJwt":{},"action":{},"key":[]}', "validation_failed"],
      ["infinite numbers", '{"version":1e999,"typed":1e999}', "validation_failed"],
      ["members of Object's prototype", '{"__proto__":{"typed":true},"constructor":{"prototype":1},"toString":1}', "validation_failed"],
      ["a member whose name is no text", '{"\\ud800":1}', "validation_failed"],
      ["a member with a long and odd name", `{"${"x/~.[0]".repeat(400)}":1}`, "validation_failed"],
      ["hundreds of unknown members", `{${Array.from({ length: 400 }, (_, nth) => `"x${nth}":1`).join()}}`, "validation_failed"],
      ["lists nested 32 deep", `${"[".repeat(32)}${"]".repeat(32)}`, "validation_failed"],
      ["lists nested 33 deep", `${"[".repeat(33)}${"]".repeat(33)}`, "malformed_request"],
      ["objects nested 33 deep beside brackets in text", `{"x":"]]}}\\"}","y":${'{"x":'.repeat(32)}1${"}".repeat(32)}}`, "malformed_request"],
    ])("that is %s", async (_what, body, code) => {
      await hostile.expectRefusal(await hostile.message(route, [JSON_TYPE], body), code);
    });

    // A form may have 4 KiB, and so may its fields as JSON.
    if (!route.takesForms)
      // prettier-ignore
      it.each<[what: string, body: string, code: ProblemCode]>([
        ["lists nested 30,000 deep", `${"[".repeat(30_000)}${"]".repeat(30_000)}`, "malformed_request"],
        ["objects nested 10,000 deep", `${'{"x":'.repeat(10_000)}1${"}".repeat(10_000)}`, "malformed_request"],
        ["thousands of unknown members", `{${Array.from({ length: 5000 }, (_, nth) => `"x${nth}":1`).join()}}`, "validation_failed"],
        ["one text of thousands of escapes", `{"x":"${'\\"'.repeat(32_000)}"}`, "validation_failed"],
      ])("that is %s", async (_what, body, code) => {
        await hostile.expectRefusal(await hostile.message(route, [JSON_TYPE], body), code);
      });

    if (!route.isOptional)
      it("that is empty", async () => {
        await hostile.expectRefusal(await hostile.message(route, [JSON_TYPE]), "malformed_request");
      });

    it.each<[what: string, headers: string[], body: string | Buffer]>([
      ["no type", [], "{}"],
      ["plain text", ["Content-Type: text/plain"], "{}"],
      ["XML", ["Content-Type: application/xml"], "<settings/>"],
      ["another kind of JSON", ["Content-Type: application/jsonlines"], "{}"],
      ["several parts", ["Content-Type: multipart/form-data; boundary=x"], "--x--"],
      ["two types", ["Content-Type: text/html, application/json"], "{}"],
      ["a Latin charset", ["Content-Type: application/json; charset=iso-8859-1"], "{}"],
      ["UTF-16", ["Content-Type: application/json; charset=utf-16le"], Buffer.from("{}", "utf16le")],
      ["gzip", [JSON_TYPE, "Content-Encoding: gzip"], gzipSync("{}")],
      ["several encodings", [JSON_TYPE, "Content-Encoding: br, gzip"], "{}"],
    ])("that says it is %s", async (_what, headers, body) => {
      await hostile.expectRefusal(await hostile.message(route, headers, body), "unsupported_media_type");
    });

    if (!route.takesForms)
      it("that says it is a form", async () => {
        const headers = ["Content-Type: application/x-www-form-urlencoded"];
        await hostile.expectRefusal(await hostile.message(route, headers, "x=1"), "unsupported_media_type");
      });

    // prettier-ignore
    it.each<[what: string, headers: string[], body: string, code: ProblemCode]>([
      ["is larger than 64 KiB", [], TOO_LARGE, "too_large"],
      ["only says that it is larger, and never comes", [`Content-Length: ${LIMIT + 1}`], "", "too_large"],
      ["says that it has a terabyte", ["Content-Length: 1000000000000"], "{", "too_large"],
      ["says so and waits to be asked for it", [`Content-Length: ${LIMIT + 1}`, "Expect: 100-continue"], "", "too_large"],
      ["grows beyond 64 KiB in chunks, and then stalls", ["Transfer-Encoding: chunked"], chunk(TOO_LARGE), "too_large"],
      ["has chunks that aren't", ["Transfer-Encoding: chunked"], "zz\r\n{}\r\n0\r\n\r\n", "malformed_request"],
      ["has two lengths", ["Content-Length: 2", "Content-Length: 3"], "{}", "malformed_request"],
      ["has a length and chunks", ["Content-Length: 2", "Transfer-Encoding: chunked"], "0\r\n\r\n", "malformed_request"],
      ["has a negative length", ["Content-Length: -2"], "{}", "malformed_request"],
      ["has another transfer encoding", ["Transfer-Encoding: gzip"], "{}", "malformed_request"],
    ])("that %s", async (_what, headers, body, code) => {
      await hostile.expectRefusal(await hostile.message(route, [JSON_TYPE, ...headers], body), code);
    });

    it("of which only the first half arrives before the sender hangs up", async () => {
      const message = await hostile.message(route, [JSON_TYPE, "Content-Length: 100"], '{"version":');

      await hostile.expectRefusal(message, "malformed_request", { isEnded: true });
    });

    if (route.as === "admin" || route.as === "member")
      it("of somebody without credentials unread", async () => {
        const stranger = { ...route, as: "anybody" } as const;
        const message = await hostile.message(stranger, [JSON_TYPE, "Content-Length: 60000"]);

        await hostile.expectRefusal(message, "connect_jwt_missing");
      });
  },
);

describe.each(NON_READERS.map((route) => [`${route.method} ${route.path}`, route] as const))(
  "%s, which reads no body,",
  { timeout: 5_000 },
  (_name, route) => {
    it.each<[what: string, headers: string[], body: string]>([
      ["announced and never sent", ["Content-Length: 20000"], ""],
      ["in chunks without an end", ["Transfer-Encoding: chunked"], chunk(TOO_LARGE)],
      ["that nobody could read", [JSON_TYPE, "Content-Encoding: gzip"], "\0\xff{"],
    ])("doesn't wait for one %s", async (_what, headers, body) => {
      const answer = await hostile.exchange(await hostile.message(route, headers, body));

      expect(answer.status, answer.text).toBeOneOf([200, 201]);
      await hostile.expectAlive();
    });

    it("refuses one that says it is larger than any may be", async () => {
      const message = await hostile.message(route, [`Content-Length: ${LIMIT + 1}`]);

      await hostile.expectRefusal(message, "too_large");
    });

    it("answers somebody who has closed their half of the connection", async () => {
      const answer = await hostile.exchange(await hostile.message(route), { isEnded: true });

      expect(answer.status, answer.text).toBeOneOf([200, 201]);
    });
  },
);

it("asks for a body that somebody would rather announce first", async () => {
  const check = { method: "POST", path: "/api/v1/settings/check", as: "admin" } as const;

  const answer = await hostile.exchange(
    await hostile.message(check, [JSON_TYPE, "Expect: 100-continue"], "{}"),
  );

  expect(answer.status, answer.text).toBe(200);
});

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}
