import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";

import type { Reply } from "../sandbox/http-client.js";
import { senderOf, TenantsWorld, travel, type Sender } from "./lifecycle.fixture.js";
import { answerOf } from "./outages.fixture.js";

const LIMIT = 5;

let stage: TenantsWorld;
beforeAll(async () => {
  stage = await TenantsWorld.start({ rates: { lifecycle: { calls: LIMIT, perSeconds: 60 } } });
});
afterAll(() => stage.close());
afterEach(() => {
  vi.useRealTimers();
});

/** Installed, and not switched on or off since. */
async function startTenant(): Promise<Sender> {
  const site = await stage.startSite();
  (await site.install("jira", stage.world.appUrl)).expect(204);
  return senderOf(site);
}

/** Signed by the tenant itself, as the product does it. */
async function toggle(tenant: Sender, nth: number): Promise<Reply> {
  return stage.sendEvent(tenant, nth % 2 === 0 ? "disabled" : "enabled", { isSignedByTenant: true });
}

async function useUpToggles(tenant: Sender): Promise<void> {
  for (let nth = 0; nth < LIMIT; nth += 1) (await toggle(tenant, nth)).expect(204);
}

/** Goes on from the first install. */
async function useUpInstalls(tenant: Sender): Promise<void> {
  for (let nth = 1; nth < LIMIT; nth += 1) {
    (await stage.sendEvent(tenant, nth % 2 === 0 ? "installed" : "uninstalled")).expect(204);
  }
}

function expectLimited(reply: Reply): void {
  expect(answerOf(reply)).toBe("rate_limited");
  expect(Number(reply.headers["retry-after"])).toBeGreaterThanOrEqual(1);
  expect(Number(reply.headers["retry-after"])).toBeLessThanOrEqual(60);
}

describe("a tenant that is switched on and off without end", () => {
  it("is obeyed so often in a minute, and then leaves no trace until the minute is over", async () => {
    const tenant = await startTenant();
    travel(0);
    await useUpToggles(tenant);
    const traces = async () => [
      await stage.findTenant(tenant.clientKey),
      await stage.auditOf(tenant.clientKey),
      await stage.database.select("SELECT COUNT(*) FROM spent_tokens"),
    ];
    const before = await traces();
    for (let nth = 0; nth < 3; nth += 1) expectLimited(await toggle(tenant, nth));
    expect(await traces()).toEqual(before);

    travel(60);
    (await toggle(tenant, 1)).expect(204);
  });

  it("can still be uninstalled and installed again by Atlassian", async () => {
    const tenant = await startTenant();
    await useUpToggles(tenant);
    expectLimited(await toggle(tenant, 1));

    (await stage.sendEvent(tenant, "uninstalled")).expect(204);
    (await stage.sendEvent(tenant, "installed")).expect(204);
  });

  it("takes nothing from another tenant", async () => {
    const [busy, quiet] = [await startTenant(), await startTenant()];
    await useUpToggles(busy);
    expectLimited(await toggle(busy, 0));

    (await toggle(quiet, 0)).expect(204);
  });

  it("may repeat an event that was obeyed, before and after: that counts for nothing", async () => {
    const tenant = await startTenant();
    const event = await stage.buildEvent(tenant, "disabled", { isSignedByTenant: true });
    for (let nth = 0; nth < 2 * LIMIT; nth += 1) (await stage.send(event)).expect(204);
    for (let nth = 1; nth < LIMIT; nth += 1) (await toggle(tenant, nth)).expect(204);

    expectLimited(await toggle(tenant, 0));
    (await stage.send(event)).expect(204);
  });
});

describe("a tenant that is installed and uninstalled without end", () => {
  it("is obeyed so often in a minute, and apart from that can be switched off and on", async () => {
    const tenant = await startTenant();
    travel(0);
    await useUpInstalls(tenant);
    expectLimited(await stage.sendEvent(tenant, "installed"));
    expectLimited(await stage.sendEvent(tenant, "uninstalled"));

    (await toggle(tenant, 0)).expect(204);
    travel(60);
    (await stage.sendEvent(tenant, "installed")).expect(204);
  });
});

describe("an honest reinstall isn't turned away, though somebody has sent", () => {
  it("an install token that was caught, with body after body", async () => {
    const tenant = await startTenant();
    const caught = await stage.buildEvent(tenant, "installed");
    (await stage.send(caught)).expect(204);
    for (let nth = 0; nth < 2 * LIMIT; nth += 1) {
      const body = { ...(caught.body as object), sharedSecret: `${tenant.sharedSecret}-${nth}` };
      expect(answerOf(await stage.send({ ...caught, body }))).toBe("connect_jwt_invalid");
    }

    (await stage.sendEvent(tenant, "installed")).expect(204);
  });

  it("an old one that never arrived, again and again", async () => {
    const tenant = await startTenant();
    const old = await stage.buildEvent(tenant, "installed");
    travel(60);
    (await stage.sendEvent(tenant, "installed")).expect(204);
    for (let nth = 0; nth < 2 * LIMIT; nth += 1) {
      expect(answerOf(await stage.send(old))).toBe("connect_jwt_invalid");
    }

    (await stage.sendEvent(tenant, "installed")).expect(204);
  });

  it("events that somebody else has signed", async () => {
    const [tenant, attacker] = [await startTenant(), await startTenant()];
    for (let nth = 0; nth < 2 * LIMIT; nth += 1) {
      const forged = { ...tenant, sharedSecret: attacker.sharedSecret };
      expect(answerOf(await toggle(forged, nth))).toBe("connect_jwt_invalid");
    }

    (await stage.sendEvent(tenant, "installed")).expect(204);
    (await toggle(tenant, 0)).expect(204);
  });
});
