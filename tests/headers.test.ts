import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import type { HttpTimeouts } from "../src/web/http-server.js";
import { BASE_URL, startTestServer } from "../src/web/http-server.fixture.js";
import type { RawAnswer } from "../src/web/raw-http.fixture.js";
import {
  BYTES,
  GOOD_ANSWERS,
  REFUSALS,
  type AnswerClass,
  type AnswerRow,
} from "./headers-answers.fixture.js";
import { ROUTES } from "./hostile-input.fixture.js";
import { send, sendBytes, Stages, type Stage } from "./production.fixture.js";

type Headers = Readonly<Record<string, string | RegExp>>;

function policy(changes: Readonly<Record<string, string>> = {}): string {
  const directives = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    ...changes,
  };
  return Object.entries(directives)
    .map((directive) => directive.join(" "))
    .join(";");
}

const STRICT: Headers = {
  "cache-control": "no-cache, no-store",
  "content-security-policy": policy(),
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-request-reference": /^[A-Z2-7]{12}$/,
};

const WINDOW_POLICY = policy({ "script-src": "'self'", "connect-src": "'self'" });
// A form sends no usable Origin under no-referrer.
const POPUP: Headers = { "content-security-policy": WINDOW_POLICY, "referrer-policy": "same-origin" };

/** What each class has instead of, or beside, the strict ones. There is nothing to hide in files and in the descriptor. */
const CLASSES: Readonly<Record<AnswerClass, (siteUrl: string) => Headers>> = {
  plain: () => ({}),
  descriptor: () => ({ "cache-control": "public, max-age=300" }),
  file: () => ({ "cache-control": "public, max-age=31536000, immutable" }),
  "file of another release": () => ({ "cache-control": "no-cache" }),
  "framed page": (siteUrl) => ({
    "content-security-policy": policy({
      "script-src": `'self' ${siteUrl}/connect/all.js`,
      "style-src": `'self' ${siteUrl}`,
      "connect-src": "'self'",
      "form-action": "'none'",
      "frame-ancestors": siteUrl,
    }),
  }),
  popup: () => POPUP,
  "popup of a stranger": () => ({ ...POPUP, "cross-origin-opener-policy": "same-origin-allow-popups" }),
  "popup refusal": () => ({ "content-security-policy": WINDOW_POLICY }),
  "opener cookie": () => ({
    "set-cookie":
      /^__Host-link-[0-9a-f]{16}=[\w-]{22,}; Max-Age=300; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  }),
};

const OF_STATUS: Readonly<Record<number, Headers>> = {
  303: { location: /^\/access\/link\/[\w-]+(?:\?[\w=-]+)?$/ },
  401: { "www-authenticate": /^(?:JWT|Bearer)$/ },
  405: { allow: /^[A-Z]+(?:, [A-Z]+)*$/ },
  429: { "retry-after": /^[1-9]\d*$/ },
};

/** About the message itself, whatever is in it. */
const OF_MESSAGE = ["connection", "content-length", "content-type", "date", "vary"];

/** Names and paths of what the app is made of. */
const FINGERPRINTS =
  /express|helmet|sequelize|sqlite|handlebars|node_?modules|node\.?js|nginx|\.[jt]s:\d|\n\s+at /i;

function expectHeaders({ headers }: RawAnswer, { isProduction }: Stage, expected: Headers): void {
  const found = Object.fromEntries([...headers].filter(([name]) => !OF_MESSAGE.includes(name)));
  const all: Headers = {
    ...STRICT,
    ...expected,
    ...(isProduction && { "strict-transport-security": "max-age=31536000" }),
  };
  expect(found).toEqual(
    Object.fromEntries(
      Object.entries(all).map(([name, value]): [string, unknown] => [
        name,
        typeof value === "string" ? value : expect.stringMatching(value),
      ]),
    ),
  );
  // Without a Date, caches and HSTS have nothing to count from.
  expect(headers.get("date")).not.toBeNull();
  expect(headers.get("vary") ?? "Accept").toBe("Accept");
}

function expectQuiet({ body, headers }: RawAnswer): void {
  expect(body).not.toMatch(FINGERPRINTS);
  // Else a browser would have to guess, which nosniff forbids.
  if (body !== "") expect(headers.get("content-type")).toMatch(/charset=utf-8$|^application\/problem\+json$/);
}

describe.each(["development", "production"] as const)("in %s", { timeout: 30_000 }, (name) => {
  let stages: Stages;
  let stage: Stage;
  beforeAll(async () => {
    stages = await Stages.start();
    stage = stages[name];
  });
  afterAll(() => stages.close());

  async function check({ status, is = "plain", ask }: AnswerRow): Promise<RawAnswer> {
    const answer = await ask(stages, stage);
    expect(answer.status, answer.body).toBe(status);
    expectHeaders(answer, stage, { ...CLASSES[is](stages.world.site.url), ...OF_STATUS[status] });
    return answer;
  }

  it.each(GOOD_ANSWERS.map((row) => [row.status, row.to, row] as const))(
    "the %i to %s carries what its class must, and nothing else",
    async (_status, to, row) => {
      const answer = await check(row);
      // Files carry their library's licence; metrics are for the operator, and of Node.
      if (row.is !== "file" && !to.includes("/metrics")) expectQuiet(answer);
    },
  );

  it.each(REFUSALS.map((row) => [row.status, row.to, row] as const))(
    "the %i to %s carries what every refusal must, and nothing else",
    async (_status, _to, row) => expectQuiet(await check(row)),
  );

  it.each(BYTES)("so does the answer to %s: %i", async (_what, status, bytes) => {
    const answer = await sendBytes(stage, bytes);
    expect(answer.status, answer.body).toBe(status);
    expectHeaders(answer, stage, OF_STATUS[status] ?? {});
    expectQuiet(answer);
  });

  it.each(ROUTES.map(({ path, allow }) => [path, allow] as const))(
    "%s, asked by a stranger in any way, says nothing more",
    async (path, allow) => {
      for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]) {
        const answer = await send(stage, { method, path });
        if (answer.status < 400) expect(["GET", "HEAD"]).toContain(method);
        const { headers } = CLASSES_OF_ROUTES.get(answer.status < 400 ? path : "") ?? { headers: {} };
        expectHeaders(answer, stage, { ...headers, ...OF_STATUS[answer.status] });
        if (answer.status === 405) expect(answer.headers.get("allow")).toBe(allow);
      }
    },
  );
});

const CLASSES_OF_ROUTES = new Map([["/atlassian-connect.json", { headers: CLASSES.descriptor("") }]]);

describe("a request that doesn't arrive", () => {
  const timeouts: HttpTimeouts = {
    headersMs: 50,
    requestMs: 80,
    keepAliveMs: 60_000,
    stalledMs: 60_000,
    checkEveryMs: 10,
  };

  it.each([
    ["its headers, in production", true, "GET /hello HTTP/1.1\r\nHost:"],
    ["its headers", false, "GET /hello HTTP/1.1\r\nHost:"],
    [
      "its body, in production",
      true,
      "POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
    ],
  ])("without %s gets a 408 like every other refusal", async (_what, isProduction, bytes) => {
    const running = await startTestServer({ isProduction, timeouts });
    onTestFinished(() => running.close());

    const stage: Stage = { isProduction, port: running.port, baseUrl: BASE_URL };

    const answer = await sendBytes(stage, bytes);

    expect(answer.status).toBe(408);
    expectHeaders(answer, stage, {});
  });
});

it("every route is in the table with a good answer, to each method it takes", () => {
  const wanted = ROUTES.flatMap(({ path, allow }) => allow.split(", ").map((method) => `${method} ${path}`));
  const rows = GOOD_ANSWERS.map(({ to }) => to);

  expect(wanted.filter((route) => !rows.some((to) => to === route || to.startsWith(`${route} `)))).toEqual(
    [],
  );
});
