import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { createForgeHost } from "../forge/pages/forge-host.js";
import { Api } from "../public/api.js";
import { ApiError, NoAnswerError } from "../public/errors.js";
import { relayAnswer, type Answers, type ForgeBridge } from "./forge-bridge.fixture.js";

const bridge = await vi.hoisted<Promise<ForgeBridge>>(async () => {
  const { ForgeBridge: Bridge } = await import("./forge-bridge.fixture.js");
  return new Bridge();
});

const APP_URL = "https://access.example.com/tools/";
const GET_ME = { method: "GET", path: "/api/v1/me" } as const;
const PROBLEM = {
  type: "https://access.example.com/problems#access_jwt_expired",
  title: "Your session ended",
  status: 401,
  detail: "Sign in again.",
  code: "access_jwt_expired",
  reference: "r",
};

function createHost(answers: Answers = {}) {
  bridge.reset(answers);
  return createForgeHost({ appUrl: APP_URL });
}

/** A product that has the app answer so. */
const invoking = (answer: Response | Error): Answers => ({
  invoke: () => (answer instanceof Error ? Promise.reject(answer) : relayAnswer(answer)),
});

const inModule = (moduleKey: string, location?: unknown): Answers => ({
  getContext: () => ({ moduleKey, extension: { location } }),
});

beforeEach(() => {
  bridge.reset();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("send", () => {
  it("calls the app below its path, through Forge", async () => {
    const host = createHost(invoking(Response.json({ accountId: "712020:grace" })));
    expect(await host.send({ ...GET_ME, path: "/api/v1/links?query=a%26b" })).toEqual({
      status: 200,
      body: { accountId: "712020:grace" },
      retryAfterSeconds: null,
    });
    expect(bridge.listCalls("invoke")).toEqual([
      {
        invokeType: "ui-remote-fetch",
        method: "GET",
        path: "/tools/api/v1/links?query=a%26b",
        headers: { accept: "application/json" },
      },
    ]);
  });

  it("calls an app without a path by the path alone", async () => {
    bridge.reset(invoking(Response.json({})));
    await createForgeHost({ appUrl: "https://access.example.com/" }).send(GET_ME);
    expect(bridge.listCalls("invoke")).toMatchObject([{ path: "/api/v1/me" }]);
  });

  it.each(["POST", "PUT"] as const)("sends the body of a %s as JSON", async (method) => {
    await createHost(invoking(Response.json({}))).send({ method, path: "/api/v1/x", body: { a: 1 } });
    expect(bridge.listCalls("invoke")).toMatchObject([
      { method, headers: { "content-type": "application/json" }, body: { a: 1 } },
    ]);
  });

  it("takes an answer without a body", async () => {
    const host = createHost(invoking(new Response(null, { status: 204 })));
    expect(await host.send({ method: "DELETE", path: "/api/v1/me/links/1" })).toEqual({
      status: 204,
      body: null,
      retryAfterSeconds: null,
    });
  });

  it("hands on a refusal", async () => {
    const host = createHost(invoking(Response.json({ code: "not_found" }, { status: 404 })));
    expect(await host.send(GET_ME)).toMatchObject({ status: 404, body: { code: "not_found" } });
  });

  it.each([
    ["the app's own 401", { ...PROBLEM, status: 401 }, 401],
    ["any other 422", { ...PROBLEM, status: 422 }, 422],
    ["a 422 that says nothing of it", { code: "validation_failed" }, 422],
  ])("tells %s by its status", async (_what, problem, status) => {
    const host = createHost(invoking(Response.json(problem, { status: 422 })));
    expect(await host.send(GET_ME)).toMatchObject({ status, body: problem });
  });

  it("gives the page the same refusal for a 401 as other hosts", async () => {
    const api = new Api(createHost(invoking(Response.json(PROBLEM, { status: 422 }))));
    const error = await api.getMe().catch((refusal: unknown) => refusal);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ problem: PROBLEM });
  });

  it.each([
    ["retry-after", "40", 40],
    ["Retry-After", "40", 40],
    ["RETRY-AFTER", ["40"], 40],
    ["retry-after", "soon", null],
    ["retry-after", "0", null],
    ["x-other", "40", null],
  ])("reads %s: %s as %s", async (name, value, retryAfterSeconds) => {
    const error = { status: 429, headers: { [name]: value }, body: { code: "rate_limited" } };
    const host = createHost({ invoke: () => ({ success: false, error }) });
    expect(await host.send(GET_ME)).toMatchObject({ status: 429, retryAfterSeconds });
  });

  it("goes without headers that Forge keeps", async () => {
    const host = createHost({ invoke: () => ({ success: true, payload: { status: 200, body: {} } }) });
    expect(await host.send(GET_ME)).toMatchObject({ status: 200, retryAfterSeconds: null });
  });

  it.each([
    [
      "a page of a proxy",
      new Response("<h1>Bad gateway</h1>", { status: 502, headers: { "content-type": "text/html" } }),
    ],
    [
      "a problem of another content type",
      Response.json({}, { status: 404, headers: { "content-type": "application/problem+json" } }),
    ],
    ["a body that isn't JSON", new Response("<h1>Hello</h1>")],
    ["a network that is down", new Error("Invalid response from remote - remote network error")],
    ["an app that is too slow", new Error("Remote invocation timed out after 25 seconds")],
  ])("says that no answer came from %s", async (_what, answer) => {
    await expect(createHost(invoking(answer)).send(GET_ME)).rejects.toThrow(NoAnswerError);
  });

  it("says that no answer came when Forge says nothing", async () => {
    await expect(createHost().send(GET_ME)).rejects.toThrow(NoAnswerError);
  });

  it("doesn't blame the network when the app refuses Forge's token", async () => {
    const refused = createHost(invoking(new Response("{}", { status: 401 }))).send(GET_ME);
    await expect(refused).rejects.toThrow("takes no calls");
    await expect(refused).rejects.not.toThrow(NoAnswerError);
  });

  it("gives up after half a minute", async () => {
    vi.useFakeTimers();
    const sent = createHost({ invoke: () => new Promise(() => undefined) }).send(GET_ME);
    const refused = expect(sent).rejects.toThrow(NoAnswerError);
    await vi.advanceTimersByTimeAsync(30_000);
    await refused;
  });
});

describe("findProduct", () => {
  it.each([
    ["jira-admin", "jira"],
    ["jira-account", "jira"],
    ["confluence-configure", "confluence"],
    ["confluence-account", "confluence"],
  ])("takes %s for a page in %s", async (moduleKey, product) => {
    expect(await createHost(inModule(moduleKey)).findProduct()).toBe(product);
  });

  it.each(["account", "jira", "bitbucket-account", "my-jira-account"])(
    "doesn't guess from %s",
    async (key) => {
      await expect(createHost(inModule(key)).findProduct()).rejects.toThrow("belongs to no product");
    },
  );
});

describe("findQuery", () => {
  const PAGE = "https://acme.atlassian.net/jira/settings/personal/apps/app/env";

  it.each([
    [`${PAGE}?ac.service=a%26b&as=ada#ac.link=1`, [["service", "a&b"]]],
    [PAGE, []],
    ["not an address", []],
    [undefined, []],
    [7, []],
  ])("takes what is for the app out of %s", async (location, found) => {
    expect([...(await createHost(inModule("jira-account", location)).findQuery())]).toEqual(found);
  });

  it("goes without when Forge can't tell", async () => {
    const host = createHost({ getContext: () => Promise.reject(new Error("No context")) });
    expect([...(await host.findQuery())]).toEqual([]);
  });

  it("doesn't wait for a product that never tells", async () => {
    vi.useFakeTimers();
    const found = createHost({ getContext: () => new Promise(() => undefined) }).findQuery();
    await vi.advanceTimersByTimeAsync(1_000);
    expect([...(await found)]).toEqual([]);
  });
});

describe("findAccountNames", () => {
  beforeEach(() => {
    // In a browser the page's own address is the base.
    vi.stubGlobal(
      "Request",
      class extends Request {
        constructor(url: string, init?: RequestInit) {
          super(new URL(url, "https://frame.example"), init);
        }
      },
    );
  });

  it.each([
    ["jira", "/rest/api/3/user/bulk", "values"],
    ["confluence", "/wiki/rest/api/user/bulk", "results"],
  ] as const)("asks %s at %s, fifty people at once", async (product, route, list) => {
    const asked: URL[] = [];
    const host = createHost({
      ...inModule(`${product}-admin`),
      fetchProduct: ({ restPath }: { restPath: string }) => {
        const url = new URL(restPath, "https://acme.atlassian.net");
        asked.push(url);
        const people = url.searchParams
          .getAll("accountId")
          .map((accountId) => ({ accountId, displayName: `Name of ${accountId}` }));
        return { status: 200, statusText: "OK", headers: {}, body: JSON.stringify({ [list]: people }) };
      },
    });
    const names = await host.findAccountNames(Array.from({ length: 60 }, (_, index) => `712020:${index}`));
    expect(names.size).toBe(60);
    expect(names.get("712020:59")).toBe("Name of 712020:59");
    expect(asked.map(({ pathname }) => pathname)).toEqual([route, route]);
    expect(bridge.listCalls("fetchProduct")).toMatchObject([{ product }, { product }]);
  });

  it.each<[what: string, answers: Answers]>([
    ["the product refuses", { fetchProduct: () => ({ status: 403, headers: {}, body: "{}" }) }],
    ["the product breaks", { fetchProduct: () => Promise.reject(new Error("No scope")) }],
    ["nobody says which product it is", { getContext: () => Promise.reject(new Error("No context")) }],
  ])("leaves everybody out when %s", async (_what, answers) => {
    const host = createHost({ ...inModule("jira-admin"), ...answers });
    expect(await host.findAccountNames(["712020:grace"])).toEqual(new Map());
  });
});

describe("openTab", () => {
  it("has the product open it", async () => {
    const host = createHost();
    expect(await host.openTab!(new URL("https://access.example.com/tools/access/link/1"))).toBe(true);
    expect(bridge.listCalls("navigate")).toEqual([
      { url: "https://access.example.com/tools/access/link/1", type: "new-tab" },
    ]);
  });

  it("says no when whoever looks declines", async () => {
    const host = createHost({ navigate: () => Promise.reject(new Error("Declined")) });
    expect(await host.openTab!(new URL("https://access.example.com/"))).toBe(false);
  });
});

describe("start", () => {
  /** A document that is themed at once. */
  function giveDocument() {
    const listeners: ((event: unknown) => void)[] = [];
    vi.stubGlobal("document", {
      documentElement: {},
      addEventListener: (_type: string, listener: (event: unknown) => void) => listeners.push(listener),
    });
    vi.stubGlobal(
      "MutationObserver",
      class {
        readonly disconnect = () => undefined;
        readonly observe: () => void;

        constructor(done: () => void) {
          this.observe = () => setImmediate(done);
        }
      },
    );
    return (target: unknown) => {
      const event = { target, preventDefault: vi.fn() };
      for (const listener of listeners) listener(event);
      return event;
    };
  }

  const link = { href: "https://acme.cloudflareaccess.com/cdn-cgi/access/logout" };

  it("takes on the product's colours", async () => {
    giveDocument();
    await createHost().start();
    expect(bridge.listCalls("enableTheming")).toHaveLength(1);
  });

  it("does without colours", async () => {
    giveDocument();
    await createHost({ enableTheming: () => Promise.reject(new Error("No themes here")) }).start();
  });

  it("opens links through the product, for the frame may not", async () => {
    const click = giveDocument();
    await createHost().start();
    const { preventDefault } = click({
      closest: (selector: string) => (selector === "a[target=_blank]" ? link : null),
    });
    expect(preventDefault).toHaveBeenCalledOnce();
    expect(bridge.listCalls("navigate")).toEqual([{ url: link.href, type: "new-tab" }]);
  });

  it("leaves every other click alone", async () => {
    const click = giveDocument();
    await createHost().start();
    expect(click({ closest: () => null }).preventDefault).not.toHaveBeenCalled();
    expect(bridge.listCalls("navigate")).toEqual([]);
  });
});
