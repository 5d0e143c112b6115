import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { invokeRemote } from "./forge-invoke.js";
import { HttpClient } from "./http-client.js";
import { json, startServer, text, type Answer, type Incoming, type Server } from "./http-server.js";

let remote: Server;
let seen: Incoming | null = null;
let answer: Answer | Promise<Answer> = json(200, {});

beforeAll(async () => {
  remote = await startServer();
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
    remote.routes.push([
      method,
      /./,
      (request) => {
        seen = request;
        return answer;
      },
    ]);
  }
});
afterAll(() => remote.close());

const FORGE = { authorization: "Bearer of-forge" };

function invoke(sent: object, given: Answer | Promise<Answer> = json(200, {})) {
  answer = given;
  const call = { invokeType: "ui-remote-fetch", method: "GET", path: "/api/v1/me", ...sent };
  return invokeRemote(
    { client: new HttpClient(), caller: "A page", origin: remote.url, headers: FORGE },
    call,
  );
}

const problem = (status: number, type: string): Answer => ({
  status,
  headers: { "content-type": type, "retry-after": "7" },
  body: '{"code":"x"}',
});

it.each(["POST", "PUT", "PATCH", "DELETE"])(
  "sends a %s on, with its own token in the place of the page's",
  async (method) => {
    const headers = { Authorization: "Bearer of-the-page", Accept: "application/json" };
    await invoke({ method, path: "/tools/x?a=%26", headers, body: { a: 1 } });
    expect(seen).toMatchObject({
      method,
      body: '{"a":1}',
      headers: { ...FORGE, accept: "application/json", "content-type": "application/json" },
    });
    expect(seen?.url.href).toBe(`${remote.url}/tools/x?a=%26`);
  },
);

describe("the page gets", () => {
  it.each<[what: string, given: Answer, relayed: object]>([
    ["what was well", json(200, { a: 1 }), { success: true, payload: { status: 200, body: { a: 1 } } }],
    ["what was well and says nothing", { status: 204 }, { success: true, payload: { status: 204 } }],
    [
      "a refusal in plain JSON, with its headers",
      problem(409, "application/json"),
      { success: false, error: { status: 409, headers: { "retry-after": ["7"] }, body: { code: "x" } } },
    ],
  ])("%s", async (_what, given, relayed) => {
    expect(await invoke({}, given)).toMatchObject(relayed);
  });
});

describe("the page gets nothing of", () => {
  it.each<[what: string, given: Answer, message: RegExp]>([
    ["a 401", problem(401, "application/json"), /could not verify the Forge Invocation Token/],
    [
      "a refusal of another type",
      problem(403, "application/problem+json"),
      /must be set to application\/json/,
    ],
    ["a refusal whose type says more", problem(403, "application/json; charset=utf-8"), /must be set to/],
    ["a refusal without a body", { status: 500 }, /cannot parse body/],
    ["what was well but is no JSON", text(200, "a,b"), /cannot parse body/],
    ["a redirect", { status: 303, headers: { location: "/" } }, /redirects aren't followed/],
    ["more than 5 MB", json(200, { a: "a".repeat(5 * 1024 * 1024) }), /too large/],
  ])("%s", async (_what, given, message) => {
    await expect(invoke({}, given)).rejects.toThrow(message);
  });

  it("what takes longer than 25 seconds", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const late = invoke({}, new Promise<Answer>(() => undefined));
      const refused = expect(late).rejects.toThrow("longer than 25 seconds");
      await vi.advanceTimersByTimeAsync(25_000);
      await refused;
    } finally {
      vi.useRealTimers();
    }
  });
});

it.each<[what: string, sent: object, message: RegExp]>([
  ["another method", { method: "OPTIONS" }, /isn't supported/],
  ["a path that is an address", { path: "https://elsewhere.example/" }, /begin with a slash/],
  ["a body that is a list", { method: "POST", body: [] }, /must be a JSON object/],
  ["a body that is text", { method: "POST", body: "a" }, /must be a JSON object/],
  ["more than 500 KB", { method: "POST", body: { a: "a".repeat(500 * 1024) } }, /too large/],
  ["a call of a function", { invokeType: undefined, functionKey: "f" }, /no resolver functions/],
])("doesn't send %s", async (_what, sent, message) => {
  seen = null;
  await expect(invoke(sent)).rejects.toThrow(message);
  expect(seen).toBeNull();
});
