import { createServer, type AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";

import type { Handler, Incoming } from "../../sandbox/http-server.js";
import { ADA } from "../../sandbox/people.js";
import { SERVICES } from "../../sandbox/world.js";
import { exchange, type RawAnswer } from "../../src/web/raw-http.fixture.js";
import { ACTING, ALL_METHODS, GatewayWorld, type GatewayCall } from "../gateway.fixture.js";
import { triedIn, type Weakness } from "./weaknesses.fixture.js";

let here: GatewayWorld;
beforeAll(async () => {
  here = await GatewayWorld.start();
});
afterAll(() => here.close());

/** What reaches the product below `/rest/heard` until the test is over. */
function listen(): Incoming[] {
  const { routes } = here.site.server;
  const heard: Incoming[] = [];
  const before = [...routes];
  const hear: Handler = (request) => {
    heard.push(request);
    return { status: 200, headers: { "content-length": "2" }, body: "{}" };
  };
  routes.unshift(...ALL_METHODS.map((method) => [method, /^(?:\/wiki)?\/rest\/heard/, hear] as const));
  onTestFinished(() => void routes.splice(0, routes.length, ...before));
  return heard;
}

interface Sent {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** Bytes as a service could send them; the connection ends with the answers to them. */
async function send({
  method = "POST",
  target = "/rest/heard",
  headers = [],
  body = "",
}: Sent): Promise<RawAnswer[]> {
  const path = target.startsWith("http") ? target : here.url({ path: target });
  const lines = [
    `${method} ${path} HTTP/1.1`,
    "Host: localhost",
    `Authorization: Bearer ${await here.sign({})}`,
    ...headers,
  ];
  return exchange(here.world.parts.app.port, `${lines.join("\r\n")}\r\n\r\n${body}`);
}

const SMUGGLED = "GET /rest/heard/smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
const CHUNKED = `0\r\n\r\n${SMUGGLED}`;
const CLOSE = "Connection: close";

/** Refused before anything is sent on, or sent on as one request. Nothing of what is behind its end is a request. */
async function expectNothingSmuggled(sent: Sent, statuses: readonly number[]): Promise<void> {
  const heard = listen();
  const answers = await send(sent);
  expect(statuses, answers.map(({ body }) => body).join()).toContain(answers[0]?.status);
  expect(heard.length).toBeLessThanOrEqual(1);
  expect(heard.map(({ url }) => url.pathname)).not.toContain("/rest/heard/smuggled");
  expect(heard.flatMap(({ headers }) => Object.keys(headers))).not.toContain("x-smuggled");
}

// prettier-ignore
const SMUGGLING: readonly (readonly [what: string, sent: Sent, statuses: readonly number[]])[] = [
  ["a length and chunks", { headers: ["Content-Length: 6", "Transfer-Encoding: chunked"], body: CHUNKED }, [400]],
  ["two lengths", { headers: ["Content-Length: 0", `Content-Length: ${SMUGGLED.length}`], body: SMUGGLED }, [400]],
  ["a length with a sign", { headers: ["Content-Length: +5"], body: SMUGGLED }, [400]],
  ["a list of lengths", { headers: ["Content-Length: 0, 0"], body: SMUGGLED }, [400]],
  ["a vertical tab before chunked", { headers: ["Transfer-Encoding: \x0bchunked", "Content-Length: 0"], body: CHUNKED }, [400]],
  ["another word for chunked", { headers: ["Transfer-Encoding: xchunked"], body: CHUNKED }, [400]],
  ["chunked, then identity", { headers: ["Transfer-Encoding: chunked, identity"], body: CHUNKED }, [400]],
  ["chunked twice over", { headers: ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], body: CHUNKED }, [400]],
  ["a space before the colon", { headers: ["Transfer-Encoding : chunked"], body: CHUNKED }, [400]],
  ["a folded line", { headers: ["X: y", " Transfer-Encoding: chunked"], body: CHUNKED }, [400]],
  ["a bare line feed before a header", { headers: ["X: y\nX-Smuggled: 1"] }, [400]],
  ["a bare carriage return before a header", { headers: ["X: y\rX-Smuggled: 1"] }, [400]],
  ["a zero in a header", { headers: ["Accept: a\0b"] }, [400]],
  ["a chunk size with a sign", { headers: ["Transfer-Encoding: chunked"], body: "-1\r\n\r\n" }, [400]],
  ["a chunk size that overflows", { headers: ["Transfer-Encoding: chunked"], body: "10000000000000000\r\n" }, [400]],
  ["a chunk that ends with a line feed alone", { headers: ["Transfer-Encoding: chunked"], body: `1\nx\n0\n\n${SMUGGLED}` }, [400]],
  ["a request in the body of a GET", { method: "GET", headers: [`Content-Length: ${SMUGGLED.length}`, CLOSE], body: SMUGGLED }, [200]],
  ["a request in the chunks of a GET", { method: "GET", headers: ["Transfer-Encoding: chunked", CLOSE],
    body: `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n` }, [200]],
  ["a request in the body of one that is refused", { target: "/rest/heard;x", headers: [`Content-Length: ${SMUGGLED.length}`, CLOSE], body: SMUGGLED }, [403]],
  ["a length that the next hop isn't to see", { headers: [`Content-Length: ${SMUGGLED.length}`, "Connection: close, content-length"], body: SMUGGLED }, [200]],
  ["an invitation to HTTP/2 without TLS", { headers: ["Connection: close, Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"] }, [200]],
  ["an invitation to a web socket", { method: "GET", headers: ["Connection: close, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: eHh4eHh4eHh4eHh4eHh4eA==", "Sec-WebSocket-Version: 13"] }, [200]],
];

describe("one request stays one request, whatever a proxy in front makes of it:", () => {
  it.each(SMUGGLING)("%s", async (_what, sent, statuses) => {
    await expectNothingSmuggled(sent, statuses);
  });

  it("headers behind the body are nobody's", async () => {
    const heard = listen();
    const trailer = "Authorization: Bearer evil\r\nX-Smuggled: 1\r\n";
    const headers = ["Transfer-Encoding: chunked", "Trailer: Authorization, X-Smuggled", CLOSE];
    const [answer] = await send({ headers, body: `1\r\nx\r\n0\r\n${trailer}\r\n` });
    expect(answer?.status).toBe(200);
    expect(heard).toHaveLength(1);
    expect(heard[0]?.body).toBe("x");
    expect(JSON.stringify(heard[0]?.headers)).not.toMatch(/evil|smuggled|trailer/i);
  });
});

/** One call, whose headers arrive so. */
async function hear(headers: readonly string[], sent: Sent = {}): Promise<Incoming> {
  const heard = listen();
  const [answer] = await send({ method: "GET", ...sent, headers: [CLOSE, ...headers] });
  expect(answer?.status, `${sent.target ?? ""} ${answer?.body ?? ""}`).toBe(200);
  expect(heard).toHaveLength(1);
  return heard[0]!;
}

async function expectRefused(sent: Sent, statuses: readonly number[] = [403]): Promise<void> {
  const before = here.productCalls().length;
  const answers = await send({ method: "GET", ...sent, headers: [CLOSE, ...(sent.headers ?? [])] });
  expect(statuses, answers[0]?.body).toContain(answers[0]?.status);
  expect(here.productCalls().length).toBe(before);
}

const GATEWAYS: readonly Weakness<GatewayWorld>[] = [
  [
    "Apache's mod_proxy, CVE-2022-31813, and Traefik, CVE-2024-45410: Connection took away what the proxy had added",
    "what the app adds isn't the caller's to name",
    async () => {
      const { headers } = await hear(["Connection: authorization, host, user-agent, x-atlassian-token"]);
      expect(headers.authorization).toMatch(/^Bearer [\w-]{40,}$/);
      expect(headers.host).toBe(here.site.host);
      expect(headers["user-agent"]).toBe("Access for Atlassian Cloud");
    },
  ],
  [
    "Next.js, CVE-2025-29927: a header of its own switched its checks off",
    "none of the caller's headers decides anything, and none that isn't listed is sent on",
    async () => {
      const names = ["X-Middleware-Subrequest", "X-Original-URL", "X-Rewrite-URL", "X-Gateway-Upstream"];
      const values = names.map((name) => `${name}: /rest/other`);
      const { headers, url } = await hear(values);
      expect(url.pathname).toBe("/rest/heard");
      expect(JSON.stringify(headers)).not.toContain("/rest/other");
      await expectRefused({ target: "/rest/heard;x", headers: values });
    },
  ],
  [
    "frameworks that let a header or a parameter name another method",
    "the method that was matched is the one that is sent",
    async () => {
      const overrides = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"];
      const heard = await hear(
        overrides.map((name) => `${name}: DELETE`),
        { target: "/rest/heard?_method=DELETE" },
      );
      expect(heard.method).toBe("GET");
      expect(JSON.stringify(heard.headers)).not.toContain("DELETE");
    },
  ],
  [
    "proxies that took X_Header for X-Header",
    "a name is what it is, and isn't on the list",
    async () => {
      const { headers } = await hear(["X_Atlassian_Token: evil", "CF_Access_Jwt_Assertion: evil"]);
      expect(JSON.stringify(headers)).not.toContain("evil");
    },
  ],
  [
    "Envoy, CVE-2019-9901 and CVE-2021-29492, and Atlassian's own servers, CVE-2022-26136: what was matched wasn't what was served",
    "what two readers could read differently is refused",
    triedIn("tests/gateway.test.ts", "%s is refused, and Jira isn't asked"),
  ],
  [
    "oauth2-proxy, CVE-2025-54576: a pattern for paths was matched with the query, too",
    "the query is no part of what a pattern is about",
    async () => {
      await here.save("jira", [...SERVICES, { ...ACTING.free, limits: NARROW }]);
      onTestFinished(async () => {
        const ofJira = Object.values(ACTING).filter((service) => service !== ACTING.wiki);
        await here.save("jira", [...SERVICES, ...ofJira]);
      });
      for (const target of [
        "/rest/heard?/rest/allowed",
        "/rest/heard?x=/rest/allowed",
        "/rest/heard%3F/rest/allowed",
      ]) {
        await expectRefused({ target });
      }
      await expectRefused({ target: "/rest/allowed/%3f/../../heard" });
    },
  ],
  [
    "Apache's mod_proxy, CVE-2021-40438, and undici, CVE-2022-35949: a path led the request to another host",
    "the host is the tenant's own, whatever path, query or request line says",
    async () => {
      for (const target of [
        "/rest/heard/@evil.example",
        "/rest/heard/http:evil.example",
        "/rest/heard?unix:/var/run/docker.sock|http://evil.example/",
        `http://evil.example${here.url({ path: "/rest/heard" })}`,
        `http://user@evil.example:1${here.url({ path: "/rest/heard" })}`,
      ]) {
        const { headers } = await hear(["X-Forwarded-Host: evil.example", "Forwarded: host=evil.example"], {
          target,
        });
        expect(headers.host, target).toBe(here.site.host);
      }
      await expectRefused({ target: "//evil.example/rest/heard" });
      await expectRefused({ target: "/http://evil.example/rest/heard" });
      await expectRefused({ target: "/\\evil.example/rest/heard" });
    },
  ],
  [
    "gateways that took the host to call from the request",
    "a site is looked up among those that have installed the app, and nobody else is called",
    async () => {
      const { server } = here.world.team;
      const { host } = new URL(server.url);
      const before = server.requests.length;
      for (const site of [
        host,
        "127.0.0.1",
        "localhost",
        "[::1]:80",
        "169.254.169.254",
        `${here.site.host}@evil.example`,
      ]) {
        const answer = await here.call({ site: encodeURIComponent(site), path: "/rest/heard" });
        expect([400, 401], answer.text).toContain(answer.status);
      }
      expect(server.requests.length).toBe(before);
    },
  ],
  [
    "undici, CVE-2022-35948: a line end in Content-Type began another header",
    "no byte that ends a line gets past the door",
    async () => {
      const heard = listen();
      const [answer] = await send({
        headers: ["Content-Type: text/plain\r\nX-Smuggled: 1", "Content-Length: 0", CLOSE],
      });
      expect(answer?.status).toBe(200);
      // Two lines are two headers to everybody, and the second isn't on the list.
      expect(heard[0]?.headers).not.toHaveProperty("x-smuggled");
      for (const end of ["\n", "\r", "\0"]) {
        await expectRefused({ headers: [`Content-Type: text/plain${end}X-Smuggled: 1`] }, [400]);
      }
    },
  ],
  [
    "follow-redirects, CVE-2024-28849, and undici, CVE-2023-45143: credentials went along to another host",
    "redirects are the caller's to follow, without the person's token",
    triedIn("tests/gateway.test.ts", "as a redirect leads on: %s, and nobody follows it"),
  ],
  [
    "a product's answer with a line end in a header split into two",
    "what isn't HTTP is no answer, and no byte of it gets through",
    triedIn("tests/known-weaknesses/gateways.test.ts", "an answer of the product with"),
  ],
  [
    "tokens that were told to whatever a page loads next, in Referer",
    "nothing that the gateway answers has a token in its URL, and its answers send no Referer",
    async () => {
      const answer = await here.call({});
      expect(answer.headers["referrer-policy"]).toBe("no-referrer");
      for (const name of [
        "jwt",
        "JWT",
        "access_token",
        "acpt",
        "os_authType",
        "oauth_token",
        "%6a%77%74",
        "+jwt",
      ]) {
        await expectRefused({ target: `/rest/heard?x=1&${name}=x` });
        await expectRefused({ target: `/rest/heard?x=1;${name}=x` });
      }
    },
  ],
];

const NARROW = {
  ...ACTING.free.limits!,
  requests: [{ methods: ["GET"], path: "/rest/allowed/**" }],
};

describe("gateways and proxies", () => {
  it.each(GATEWAYS)("%s. Here: %s", async (_was, _here, attempt) => {
    await attempt(here);
  });
});

describe("a token with which the app acts", () => {
  /** What the product gets to see as the person, in one call. */
  async function tokenOf(call: GatewayCall): Promise<string> {
    const heard = listen();
    const reply = await here.call({ path: "/rest/heard", ...call });
    expect(reply.status, reply.text).toBe(200);
    return heard[0]?.headers.authorization ?? "";
  }

  it("is shown to its own tenant only, and is for one installation, one account and one scope", async () => {
    const wiki = { service: "wiki", product: "confluence", path: "/rest/heard" } as const;
    const first = await tokenOf({});
    expect(await tokenOf({})).toBe(first);
    const others = [
      await tokenOf({ as: ADA }),
      await tokenOf({ method: "POST" }),
      await tokenOf({ method: "DELETE" }),
      await tokenOf(wiki),
    ];
    await here.world.install("jira");
    await expect.poll(async () => (await here.call({})).status, { timeout: 10_000 }).toBe(200);
    others.push(await tokenOf({}));
    expect(new Set([first, ...others]).size).toBe(1 + others.length);
    for (const token of [first, ...others]) expect(token).toMatch(/^Bearer [\w-]{40,}$/);
  });
});

describe("an answer of the product with", () => {
  /** Its Jira answers every request with these bytes, until the test is over. */
  async function answerWith(bytes: string): Promise<void> {
    const server = createServer((socket) => {
      socket.on("error", () => undefined).once("data", () => socket.end(Buffer.from(bytes, "latin1")));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const change = "UPDATE tenants SET base_url = ? WHERE product = 'jira'";
    await here.database.execute(change, [`http://127.0.0.1:${port}`]);
    onTestFinished(async () => {
      await here.database.execute(change, [here.site.baseUrl("jira")]);
      server.close();
    });
  }

  const good = ["HTTP/1.1 200 OK", "Content-Length: 2", "Connection: close"];
  const withHeaders = (...headers: readonly string[]) => [...good, ...headers, "", "{}"].join("\r\n");

  beforeAll(async () => {
    // From now on the person's token is at hand.
    await vi.waitFor(async () => expect((await here.call({})).status).toBe(200), 10_000);
  });

  // prettier-ignore
  it.each<[what: string, bytes: string]>([
    ["a bare line feed in a header", withHeaders("ETag: x\nSet-Cookie: a=b")],
    ["a bare carriage return in a header", withHeaders("ETag: x\rSet-Cookie: a=b")],
    ["a zero in a header", withHeaders("ETag: x\0y")],
    ["a folded header", withHeaders("ETag: x", " Set-Cookie: a=b")],
    ["a space before the colon", withHeaders("ETag : x")],
    ["two lengths", withHeaders("Content-Length: 3")],
    ["a length and chunks", withHeaders("Transfer-Encoding: chunked")],
    ["another protocol, which nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nx"],
    ["a status that isn't one", "HTTP/1.1 099 x\r\nContent-Length: 0\r\n\r\n"],
    ["more headers than fit", withHeaders(`Link: ${"x".repeat(70_000)}`)],
    ["no HTTP at all", "220 mail.example ESMTP\r\n"],
    ["nothing", ""],
  ])("%s is none", async (_what, bytes) => {
    await answerWith(bytes);
    const { status, headers, text } = await here.call({ path: "/rest/heard" });
    expect(headers["set-cookie"]).toBeUndefined();
    expect([status, headers["x-gateway-upstream"]], text).toEqual([502, undefined]);
    expect(JSON.parse(text)).toMatchObject({ code: "upstream_failed" });
  });

  // prettier-ignore
  it.each<[what: string, bytes: string, name: string]>([
    ["bytes that aren't ASCII in a header", withHeaders("Content-Disposition: attachment; filename=\"\xe9\xff.txt\""), "content-disposition"],
    ["UTF-8 in a header", withHeaders(`Warning: ${Buffer.from("199 - \"Zusammenführung — fertig\"").toString("latin1")}`), "warning"],
    ["damaged UTF-8 in a header", withHeaders("Link: <\xc3\x28\xff>"), "link"],
  ])("%s gets through", async (_what, bytes, name) => {
    await answerWith(bytes);
    const { status, headers, text } = await here.call({ path: "/rest/heard" });
    expect([status, text]).toEqual([200, "{}"]);
    expect(headers).toHaveProperty(name);
  });
});
