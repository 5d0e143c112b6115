import { once } from "node:events";

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { AppError } from "../errors.js";
import { createAce } from "./ace.js";
import { APP_KEY, installedAt, json, startFakeSite, type FakeSite } from "./fake-site.fixture.js";
import { HostClient } from "./host-client.js";
import { buildInstallation } from "./installation.fixture.js";

const INSTALLATION = buildInstallation();

let site: FakeSite;
let client: HostClient;

beforeEach(async () => {
  site = await startFakeSite("/wiki", INSTALLATION.sharedSecret!);
  const ace = createAce({
    appKey: APP_KEY,
    baseUrl: "https://app.example.com",
    findInstallation: (clientKey) =>
      clientKey === INSTALLATION.clientKey
        ? Promise.resolve(installedAt(INSTALLATION, site))
        : Promise.resolve(null),
  });
  client = new HostClient({ ace, timeoutSeconds: 0.5 });
});
afterEach(() => site.close());

const get = (path: string) => client.send(INSTALLATION.clientKey, { method: "get", path });

describe("signing", () => {
  it("signs a call for its URL below the product's base path", async () => {
    site.answer = json({ ok: true });
    const { status, body } = await get("/rest/api/user?expand=operations&accountId=557058%3Aabc");
    expect([status, body.toString()]).toEqual([200, '{"ok":true}']);
    expect(site.calls[0]?.target).toBe("/wiki/rest/api/user?expand=operations&accountId=557058%3Aabc");
  });

  it("signs a POST and sends its body as JSON", async () => {
    site.answer = json({});
    await client.send(INSTALLATION.clientKey, { method: "post", path: "/rest/x", body: { accountId: "é" } });
    expect(site.calls).toEqual([{ method: "POST", target: "/wiki/rest/x", body: '{"accountId":"é"}' }]);
  });

  it("signs whatever stands in a parameter", async () => {
    site.answer = json({});
    const accountId = fc.string({ unit: "binary", minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(accountId, async (text) => {
        const { status } = await get(
          `/rest/api/user?accountId=${encodeURIComponent(text)}&expand=operations`,
        );
        expect(status).toBe(200);
        const { searchParams } = new URL(site.calls.at(-1)!.target, "http://localhost");
        expect(searchParams.get("accountId")).toBe(text);
      }),
      { numRuns: 50 },
    );
  });

  it("is refused by a site that has another secret", async () => {
    await site.close();
    site = await startFakeSite("/wiki", "another secret");
    expect((await get("/rest/x")).status).toBe(401);
  });
});

describe("limits", () => {
  it.each([201, 204, 400, 401, 403, 404, 429, 500, 503])("gives the status %d as it came", async (status) => {
    site.answer = (_call, response) => response.writeHead(status).end();
    expect((await get("/rest/x")).status).toBe(status);
  });

  it.each([301, 302, 307, 308])("doesn't follow a %d", async (status) => {
    site.answer = (_call, response) => response.writeHead(status, { location: `${site.url}/y` }).end();
    expect((await get("/rest/x")).status).toBe(status);
    expect(site.calls).toHaveLength(1);
  });

  it("gives up on a site that doesn't answer", async () => {
    site.answer = () => undefined;
    expect(await codeOf(get("/rest/x"))).toBe("upstream_timeout");
  });

  it("gives up on a body that never ends, and hangs up", async () => {
    let hungUp: Promise<unknown> = Promise.resolve();
    site.answer = (_call, response) => {
      const drip = setInterval(() => response.write(" "), 50);
      hungUp = once(response, "close").finally(() => clearInterval(drip));
      response.writeHead(200);
    };
    expect(await codeOf(get("/rest/x"))).toBe("upstream_timeout");
    await hungUp;
  });

  it("stops reading after a mebibyte, and hangs up", async () => {
    let hungUp: Promise<unknown> = Promise.resolve();
    site.answer = (_call, response) => {
      hungUp = once(response, "close");
      response.write(Buffer.alloc(4 * 1024 * 1024));
    };
    expect(await codeOf(get("/rest/x"))).toBe("upstream_failed");
    await hungUp;
  });

  it("fails when the answer is cut off", async () => {
    site.answer = (_call, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("{}", () => response.destroy());
    };
    expect(await codeOf(get("/rest/x"))).toBe("upstream_failed");
  });

  it("fails when nobody listens", async () => {
    await site.close();
    expect(await codeOf(get("/rest/x"))).toBe("upstream_failed");
  });

  it("fails for an installation that isn't there", async () => {
    const sending = client.send("unknown", { method: "get", path: "/rest/x" });
    expect(await codeOf(sending)).toBe("upstream_failed");
  });
});

async function codeOf(sending: Promise<unknown>): Promise<string> {
  const error = await sending.catch((thrown: unknown) => thrown);
  return error instanceof AppError ? error.code : expect.fail("There was no refusal.");
}
