import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { createConnectHost } from "./connect-host.js";
import { HostMissingError, NoAnswerError } from "./errors.js";

interface User {
  readonly accountId: string;
  readonly displayName: string;
}

const GET_ME = { method: "GET", path: "/api/v1/me" } as const;

/** Atlassian's bridge in a product where everybody has a name. */
function giveBridge(nameOf: (accountId: string) => string = (accountId) => `Name of ${accountId}`) {
  const questions: URL[] = [];
  const request = (path: string) => {
    const url = new URL(path, "https://acme.atlassian.net");
    questions.push(url);
    const users = url.searchParams
      .getAll("accountId")
      .map((accountId): User => ({ accountId, displayName: nameOf(accountId) }));
    const body = JSON.stringify(url.pathname.includes("/api/3/") ? { values: users } : { results: users });
    return Promise.resolve({ body });
  };
  vi.stubGlobal("window", {
    AP: { context: { getToken: () => Promise.resolve("the-token") }, request },
  });
  return questions;
}

async function nameOf(displayName: string): Promise<string | undefined> {
  giveBridge(() => displayName);
  return (await createConnectHost("jira").findAccountNames(["712020:mallory"])).get("712020:mallory");
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("findAccountNames", () => {
  it.each(["jira", "confluence"] as const)("asks %s for at most fifty people at once", async (product) => {
    const questions = giveBridge();
    const people = Array.from({ length: 120 }, (_, index) => `712020:${index}`);
    const names = await createConnectHost(product).findAccountNames([...people, ...people]);
    expect(names.size).toBe(120);
    expect(names.get("712020:119")).toBe("Name of 712020:119");
    expect(questions.map(({ searchParams }) => searchParams.getAll("accountId").length)).toEqual([
      50, 50, 20,
    ]);
  });

  it("leaves everybody out when the product refuses", async () => {
    vi.stubGlobal("window", { AP: { request: () => Promise.reject(new Error("403")) } });
    expect(await createConnectHost("jira").findAccountNames(["712020:grace"])).toEqual(new Map());
  });

  it.each([
    ["an ordinary name", "Grace Green", "Grace Green"],
    ["letters of any script", "Зоя 王小明 עדה", "Зоя 王小明 עדה"],
    ["a mark of direction", "Mallory\u202E linked ada@acme.example\u2069", "Mallory linked ada@acme.example"],
    ["line ends and controls", "Mallory\r\nAda\u2028Admin\u0007", "Mallory Ada Admin"],
    ["a zero-width character", "A\u200Bd\u2060a\uFEFF", "Ada"],
    ["halves of surrogate pairs", "Ada\uD83D \uDE00Admin", "Ada Admin"],
    ["a letter and its accent", "Zoe\u0308", "Zo\u00EB"],
    ["a tower of accents", `Z${"\u0335".repeat(40)}oe`, "Z\u0335\u0335oe"],
    ["accents on nothing", "\u0301\u0301Ada \u0301Admin", "Ada Admin"],
    ["200 characters, whole ones", "😀a".repeat(150), "😀a".repeat(100)],
  ])("keeps of %s what can be read", async (_, displayName, shown) => {
    expect(await nameOf(displayName)).toBe(shown);
  });

  it.each(["", "  ", "…", "\u202E", "\u3164", "—"])("takes %j for no name", async (displayName) => {
    expect(await nameOf(displayName)).toBeUndefined();
  });
});

describe("findQuery", () => {
  const PAGE = "https://acme.atlassian.net/plugins/servlet/ac/app/account";

  async function findIn(getLocation: (callback: (location: string) => void) => void) {
    vi.stubGlobal("window", { AP: { getLocation } });
    return [...(await createConnectHost("jira").findQuery())];
  }

  it("finds the address where the bridge has it", async () => {
    const getLocation = (callback: (location: string) => void) => callback(`${PAGE}?ac.link=1`);
    vi.stubGlobal("window", { AP: { env: { getLocation } } });
    expect((await createConnectHost("jira").findQuery()).get("link")).toBe("1");
  });

  it.each<[location: string, found: [name: string, value: string][]]>([
    [PAGE, []],
    [`${PAGE}?ac.service=a%26b&as=ada`, [["service", "a&b"]]],
    [
      `${PAGE}?ac.service=1&ac.link=2#ac.service=3`,
      [
        ["service", "1"],
        ["link", "2"],
      ],
    ],
    ["not an address", []],
  ])("takes what is for the app out of %s", async (location, found) => {
    expect(await findIn((callback) => callback(location))).toEqual(found);
  });

  it("goes without when the product can't tell", async () => {
    vi.stubGlobal("window", { AP: {} });
    expect([...(await createConnectHost("jira").findQuery())]).toEqual([]);
    expect(
      await findIn(() => {
        throw new Error("Not in this product.");
      }),
    ).toEqual([]);
  });

  it("doesn't wait for a product that never tells", async () => {
    vi.useFakeTimers();
    const found = findIn(() => undefined);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await found).toEqual([]);
  });
});

describe("send", () => {
  beforeEach(() => {
    giveBridge();
  });

  function answer(response: Response) {
    const fetched = vi.fn<typeof fetch>(() => Promise.resolve(response));
    vi.stubGlobal("fetch", fetched);
    return fetched;
  }

  it("calls the app below its public URL with a fresh token", async () => {
    const fetched = answer(Response.json({ accountId: "712020:grace" }));
    const host = createConnectHost("jira");
    expect(await host.send(GET_ME)).toEqual({
      status: 200,
      body: { accountId: "712020:grace" },
      retryAfterSeconds: null,
    });
    const [url, options] = fetched.mock.lastCall!;
    expect(url).toEqual(new URL("api/v1/me", host.appUrl));
    expect(options).toMatchObject({ credentials: "omit", headers: { authorization: "JWT the-token" } });
  });

  it.each([
    ["40", 40],
    ["0", null],
    ["Wed, 21 Oct 2026 07:28:00 GMT", null],
  ])("reads Retry-After: %s as %s", async (header, retryAfterSeconds) => {
    answer(Response.json({}, { status: 429, headers: { "retry-after": header } }));
    expect(await createConnectHost("jira").send(GET_ME)).toMatchObject({ status: 429, retryAfterSeconds });
  });

  it.each(["", "<h1>Bad gateway</h1>"])("takes %j for an answer without a body", async (text) => {
    answer(new Response(text, { status: 502 }));
    expect(await createConnectHost("jira").send(GET_ME)).toMatchObject({ status: 502, body: null });
  });

  it("says that no answer came when the network is down", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    await expect(createConnectHost("jira").send(GET_ME)).rejects.toThrow(NoAnswerError);
  });

  it("says that no answer came when it is cut off", async () => {
    const cut = new ReadableStream({ start: (stream) => stream.error(new TypeError("cut")) });
    answer(new Response(cut));
    await expect(createConnectHost("jira").send(GET_ME)).rejects.toThrow(NoAnswerError);
  });

  it("gives up after half a minute", async () => {
    const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(AbortSignal.abort());
    vi.stubGlobal("fetch", (_: URL, { signal }: RequestInit) => {
      signal?.throwIfAborted();
      return new Promise(() => undefined);
    });
    await expect(createConnectHost("jira").send(GET_ME)).rejects.toThrow(NoAnswerError);
    expect(timeout).toHaveBeenCalledWith(30_000);
    timeout.mockRestore();
  });

  it("needs the product's script", async () => {
    vi.stubGlobal("window", {});
    await expect(createConnectHost("jira").send(GET_ME)).rejects.toThrow(HostMissingError);
  });
});
