import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  anyChange,
  anyQuery,
  applyChange,
  type Change,
  meaningOf,
  parametersOf,
} from "../src/connect/request-meaning.fixture.js";
import type { ProblemCode } from "../src/errors.js";
import type { RawAnswer } from "../src/web/raw-http.fixture.js";
import { PagesWorld, tokensIn, partsAround, type Signer } from "./canonical-requests.fixture.js";

const PAGES = ["/admin", "/account"] as const;
/** As products write it. */
const USUAL = "xdm_e=https%3A%2F%2Facme.atlassian.net&xdm_c=channel-1&cp=%2Fwiki&lic=none&cv=1.2+beta";
const anyPlace = fc.nat(30);

describe.each(["", "/some/path"])(
  "the token of a page, the base path being %j",
  { timeout: 60_000 },
  (basePath) => {
    let pages: PagesWorld;
    let bodies: ReadonlyMap<string, string>;
    beforeAll(async () => {
      pages = await PagesWorld.start(basePath);
      bodies = new Map(await Promise.all(PAGES.map(async (page) => [page, await plainBody(page)] as const)));
    });
    afterAll(() => pages.close());

    async function plainBody(page: string): Promise<string> {
      const target = `${basePath}${page}`;
      return (await pages.get(`${target}?jwt=${await pages.sign(target)}`)).body;
    }

    /** Whatever stands in the query, the page is the same: nothing of it is read but the token. */
    function expectPage(page: string, { status, body }: RawAnswer): void {
      expect({ status, body }).toEqual({ status: 200, body: bodies.get(page) });
    }

    function expectRefusal({ status, headers }: RawAnswer): void {
      expect([400, 401, 404]).toContain(status);
      expect(headers.get("content-type")).toBe("application/problem+json");
      expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    }

    async function open(page: string, query: string, options: { place?: number; signer?: Signer } = {}) {
      const path = `${basePath}${page}`;
      const token = await pages.sign(`${path}?${query}`, options);
      const { before, after } = partsAround(query, options.place ?? Infinity);
      return pages.get(`${path}?${before}${token}${after}`);
    }

    it("verifies for any query that a browser or Atlassian can send, wherever in it the token stands", async () => {
      const anySigner = fc.constantFrom<Signer>("product", "library");
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...PAGES),
          anyQuery,
          anyPlace,
          anySigner,
          async (page, query, place, signer) => {
            const names = parametersOf(`?${query}`).map(([name]) => name);
            fc.pre(!names.includes("jwt"));
            // The library leaves it unsigned.
            fc.pre(signer === "product" || !names.includes("__proto__"));
            expectPage(page, await open(page, query, { place, signer }));
          },
        ),
        { numRuns: 250 },
      );
    });

    it("doesn't verify after one changed character outside of it, unless that leaves the meaning the same", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...PAGES),
          fc.oneof(anyQuery, fc.constant(USUAL)),
          anyPlace,
          anyChange,
          async (page, query, place, change) => {
            const path = `${basePath}${page}`;
            const token = await pages.sign(`${path}?${query}`);
            const { before, after } = partsAround(query, place);
            const target = changeAround(`${path}?${before}`, token, after, change);
            const tokens = tokensIn(target);
            const isTheSame =
              target.split("?", 1)[0] === path &&
              tokens.length === 1 &&
              tokens[0] === token &&
              meaningOf(target, basePath) === meaningOf(`${path}?${query}`, basePath);
            const answer = await pages.get(target);
            if (isTheSame) expectPage(page, answer);
            else expectRefusal(answer);
          },
        ),
        { numRuns: 500 },
      );
    });

    function changeAround(head: string, token: string, tail: string, change: Change): string {
      const share = head.length / (head.length + tail.length);
      return change.place <= share
        ? `${applyChange(head, { ...change, place: change.place / share })}${token}${tail}`
        : `${head}${token}${applyChange(tail, { ...change, place: (change.place - share) / (1 - share) })}`;
    }

    it.each([
      ["the usual one", USUAL, USUAL],
      ["a plus for %20", "a=b%20c", "a=b+c"],
      ["lower-case hex", "a=%C3%A9%2F", "a=%c3%a9%2f"],
      ["letters that needn't be escaped", "a=bc~", "%61=%62c%7E"],
      ["letters that should be escaped", "a=%28%29%21%2A%27", "a=()!*'"],
      ["names in another order", "b=2&a=1", "a=1&b=2"],
      ["repeated names in another order", "a=1&a=2&a[]=3&a[]=4", "a[]=4&a=2&a[]=3&a=1"],
      ["no equals sign", "flag=&a=1", "flag&a=1"],
      ["separators without end", "a=1", "&&a=1&&&"],
      ["a nameless value", "=1&a=2", "a=2&=1"],
      ["Object's own names", "__proto__=1&constructor=2&toString=3", "toString=3&constructor=2&__proto__=1"],
      ["brackets", "a[b][c]=1&a[0]=2&a[]=3&a0=4", "a%5Bb%5D%5Bc%5D=1&a%5B0%5D=2&a%5B%5D=3&a0=4"],
    ])("verifies however the same is written: %s", async (_name, signed, sent) => {
      const path = `${basePath}/account`;
      for (const signer of ["product", "library"] as const) {
        if (signer === "library" && signed.includes("__proto__")) continue;
        const token = await pages.sign(`${path}?${signed}`, { signer });
        expectPage("/account", await pages.get(`${path}?${sent}&jwt=${token}`));
      }
    });

    it.each([
      ["a plus for %2B", "a=b%2Bc", "a=b+c"],
      ["what is escaped twice", "a=%2561", "a=%61"],
      ["an escaped separator", "a=1%26b=2", "a=1&b=2"],
      ["an escaped equals sign in a name", "a%3Db=1", "a=b=1"],
      ["a comma for a repetition", "a=1&a=2", "a=1,2"],
      ["a repetition for a comma", "a=1%2C2", "a=2&a=1"],
      ["another case of a name", "a=1", "A=1"],
      ["a list's name", "a=1", "a[]=1"],
      ["a semicolon for a separator", "a=1&b=2", "a=1;b=2"],
      ["a name that is there twice now", "a=1", "a=1&a=1"],
      ["one that was there twice", "a=1&a=1", "a=1"],
      ["two that have swapped values", "a=1&b=2", "a=2&b=1"],
      ["__proto__", "a=1", "a=1&__proto__=2"],
      ["the value of __proto__", "__proto__=1", "__proto__=2"],
      ["an empty name", "a=1", "a=1&="],
      ["a zero byte", "a=1", "a=1%00"],
      ["one damaged escape for another", "a=%zz", "a=%zy"],
      ["another spelling of a letter", "a=%C3%A9", "a=e%CC%81"],
      ["a byte order mark", "a=1", "a=%EF%BB%BF1"],
    ])("doesn't verify with another meaning: %s", async (_name, signed, sent) => {
      const path = `${basePath}/account`;
      const token = await pages.sign(`${path}?${signed}`);
      expect((await pages.get(`${path}?${sent}&jwt=${token}`)).status).toBe(401);
    });

    describe("among thousands of parameters", () => {
      // The headers of a request may have 16 KiB, which the token has to share.
      const names = Array.from({ length: 3_000 }, (_, index) => index.toString(36));
      const query = names.join("&");

      it.each([
        ["first", 0],
        ["thousand and first", 1_000],
        ["in the middle", 2_000],
        ["last", 3_000],
      ])("verifies when it is %s", async (_name, place) => {
        expectPage("/admin", await open("/admin", query, { place }));
        expectPage("/admin", await open("/admin", "&".repeat(place), { place }));
      });

      it("verifies for none but these", async () => {
        const target = `${basePath}/admin?${query}`;
        const token = await pages.sign(target);
        for (const changed of [
          `${target}&x`,
          target.replace(`&${names[2_500]}&`, "&"),
          target.replace(/\w$/, "_"),
        ]) {
          expect((await pages.get(`${changed}&jwt=${token}`)).status).toBe(401);
        }
        expect((await pages.get(`${target}&jwt=${token}&jwt=${token}`)).status).toBe(400);
      });

      it("isn't looked for in a request whose headers are too large", async () => {
        const long = names.map((name) => `${name}=1234`).join("&");
        const { status, body } = await pages.get(`${basePath}/admin?${long}&jwt=${await pages.sign("/")}`);
        expect({ status, body }).toMatchObject({
          status: 431,
          body: expect.stringContaining("headers_too_large") as unknown,
        });
      });
    });

    type Outcome = 200 | ProblemCode;

    describe("is for what the app makes of the request", () => {
      const path = `${basePath}/admin`;
      const signed = `${path}?a=1&b=2`;

      function expectOutcome(answer: RawAnswer, outcome: Outcome): void {
        if (outcome === 200) expectPage("/admin", answer);
        else expect(JSON.parse(answer.body)).toMatchObject({ code: outcome });
      }

      it.each<[string, (token: string) => string, Outcome]>([
        ["a token whose name is escaped", (token) => `${signed}&%6A%77t=${token}`, 200],
        ["the same token twice", (token) => `${signed}&jwt=${token}&jwt=${token}`, "ambiguous_credentials"],
        [
          "it twice, once escaped",
          (token) => `${signed}&jwt=${token}&%6Awt=${token}`,
          "ambiguous_credentials",
        ],
        ["a forged one in front", (token) => `${path}?jwt=x&a=1&b=2&jwt=${token}`, "ambiguous_credentials"],
        ["an empty one in front", (token) => `${path}?jwt&a=1&b=2&jwt=${token}`, "ambiguous_credentials"],
        ["an empty one only", () => `${signed}&jwt=`, "connect_jwt_missing"],
        ["jwt[]", (token) => `${signed}&jwt[]=${token}`, "connect_jwt_missing"],
        ["jwt[0]", (token) => `${signed}&jwt%5B0%5D=${token}`, "connect_jwt_missing"],
        ["JWT", (token) => `${signed}&JWT=${token}`, "connect_jwt_missing"],
        ["a space before the name", (token) => `${signed}&+jwt=${token}`, "connect_jwt_missing"],
        ["a zero byte after the name", (token) => `${signed}&jwt%00=${token}`, "connect_jwt_missing"],
        ["a token after a semicolon", (token) => `${signed};jwt=${token}`, "connect_jwt_missing"],
        ["a token after a second question mark", (token) => `${signed}?jwt=${token}`, "connect_jwt_missing"],
        [
          "a token after two question marks",
          (token) => `${path}??jwt=${token}&a=1&b=2`,
          "connect_jwt_missing",
        ],
        ["a space after it", (token) => `${signed}&jwt=${token}+`, "connect_jwt_invalid"],
        ["padding after it", (token) => `${signed}&jwt=${token}%3D`, "connect_jwt_invalid"],
        ["a path that is escaped", (token) => `${basePath}/%61dmin?a=1&b=2&jwt=${token}`, "not_found"],
        ["a path in upper case", (token) => `${basePath}/ADMIN?a=1&b=2&jwt=${token}`, "not_found"],
        // These have the same canonical request.
        ["a slash at the end of the path", (token) => `${path}/?a=1&b=2&jwt=${token}`, "not_found"],
        ["a path in front", (token) => `/some/path${signed}&jwt=${token}`, "not_found"],
        ["another page", (token) => `${basePath}/account?a=1&b=2&jwt=${token}`, "connect_jwt_invalid"],
        ["dot segments", (token) => `${basePath}/x/../admin?a=1&b=2&jwt=${token}`, "not_found"],
        ["a doubled slash", (token) => `${basePath}//admin?a=1&b=2&jwt=${token}`, "not_found"],
        ["a host in place of the path", (token) => `//localhost${signed}&jwt=${token}`, "not_found"],
        ["a path parameter", (token) => `${path};x=1?a=1&b=2&jwt=${token}`, "not_found"],
        ["a query in the path", (token) => `${path}%3Fa=1&b=2&jwt=${token}`, "not_found"],
        ["a fragment", (token) => `${signed}&jwt=${token}#top`, "malformed_request"],
        ["a fragment in front of the token", (token) => `${signed}#&jwt=${token}`, "malformed_request"],
        ["a tab", (token) => `${signed}\t&jwt=${token}`, "malformed_request"],
        ["a space", (token) => `${signed} &jwt=${token}`, "malformed_request"],
        ["a zero byte", (token) => `${signed}\0&jwt=${token}`, "malformed_request"],
        ["a line break", (token) => `${signed}\n&jwt=${token}`, "malformed_request"],
        ["a letter that isn't ASCII", (token) => `${signed}\xe9&jwt=${token}`, "malformed_request"],
        ["its own host in absolute form", (token) => `http://localhost${signed}&jwt=${token}`, 200],
        ["any host in absolute form", (token) => `https://evil.example:8443${signed}&jwt=${token}`, 200],
        [
          "another path in absolute form",
          (token) => `http://localhost/x?${signed}&jwt=${token}`,
          "not_found",
        ],
        ["another scheme", (token) => `ftp://localhost${signed}&jwt=${token}`, "malformed_request"],
        ["no path", (token) => `?a=1&b=2&jwt=${token}`, "malformed_request"],
      ])("%s", async (_name, write, outcome) => {
        expectOutcome(await pages.get(write(await pages.sign(signed))), outcome);
      });

      it.each<[string, method: string, signedFor: string, headers: string[], Outcome]>([
        ["another method's token", "GET", "POST", [], "connect_jwt_invalid"],
        ["another method", "POST", "POST", [], "method_not_allowed"],
        ["another method, GET's token", "POST", "GET", [], "method_not_allowed"],
        ["a method in lower case", "get", "GET", [], "malformed_request"],
        ["an overridden GET", "GET", "GET", ["X-HTTP-Method-Override: DELETE"], 200],
        [
          "a GET that claims to be a POST",
          "GET",
          "POST",
          ["X-HTTP-Method-Override: POST"],
          "connect_jwt_invalid",
        ],
        [
          "a POST that claims to be a GET",
          "POST",
          "GET",
          ["X-HTTP-Method-Override: GET"],
          "method_not_allowed",
        ],
        ["a POST that claims so otherwise", "POST", "GET", ["X-Method-Override: GET"], "method_not_allowed"],
        [
          "a path that a header claims",
          "GET",
          "GET",
          ["X-Original-URL: /account", "X-Rewrite-URL: /account"],
          200,
        ],
        [
          "a host that headers claim",
          "GET",
          "GET",
          ["X-Forwarded-Host: evil.example", "X-Forwarded-Prefix: /x"],
          200,
        ],
      ])("%s", async (_name, method, signedFor, headers, outcome) => {
        const token = await pages.sign(signed, { method: signedFor });
        expectOutcome(await pages.send(`${method} ${signed}&jwt=${token} HTTP/1.1`, headers), outcome);
      });

      it.each(["GET", "HEAD"])("HEAD is no GET, its token for %s", async (signedFor) => {
        const token = await pages.sign(signed, { method: signedFor });
        const { status, headers } = await pages.send(`HEAD ${signed}&jwt=${token} HTTP/1.1`);
        expect([status, headers.get("allow")]).toEqual([405, "GET"]);
      });

      it.each(["_method=POST", "method=POST"])(
        "%s in the query is a parameter like any other",
        async (parameter) => {
          expectPage("/admin", await open("/admin", parameter));
        },
      );

      it("a body isn't read, whatever token it holds", async () => {
        const body = `jwt=${await pages.sign(path)}`;
        const headers = [`Content-Length: ${body.length}`, "Content-Type: application/x-www-form-urlencoded"];
        expectOutcome(await pages.send(`GET ${path} HTTP/1.1`, headers, body), "connect_jwt_missing");
      });
    });
  },
);
