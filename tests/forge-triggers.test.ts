import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { ForgeSender } from "../sandbox/forge-fit.js";
import { GRACE } from "../sandbox/people.js";
import { ForgeWorld, type ForgeTrigger } from "./forge.fixture.js";
import { expectProblem, travel } from "./lifecycle.fixture.js";

let world: ForgeWorld;
beforeAll(async () => {
  world = await ForgeWorld.start();
});
afterAll(() => world.close());

/** A site whose page was opened, with a link of Grace's. */
async function linkedSite(): Promise<ForgeSender> {
  const site = world.site();
  (await world.trigger(site, "installed", { madeIn: -20 })).expect(204);
  (await world.page(site, GRACE, { madeIn: -20 })).expect(200);
  const tenantId = (await world.findTenant(site))?.["id"];
  await world.tenants.database.execute(
    `INSERT INTO links (id, tenant_id, issuer, subject, email, account_id, method, linked_at)
     VALUES (?, ?, 'https://acme.cloudflareaccess.com', ?, 'grace@acme.example', ?, 'proof', '2026-11-01 10:00:00.000 +00:00')`,
    [randomUUID(), tenantId, randomUUID(), GRACE.accountId],
  );
  return site;
}

const countLinks = async (site: ForgeSender) => {
  const tenantId = (await world.findTenant(site))?.["id"];
  return (await world.tenants.database.select("SELECT id FROM links WHERE tenant_id = ?", [tenantId])).length;
};

describe("the app's own token", () => {
  it.each(["installed", "hourly"] as const)(
    "is kept, encrypted, for each place, when %s brings it",
    async (trigger) => {
      const site = world.site({ products: ["jira", "confluence"] });
      const systemToken = world.api.systemToken(site.cloudId);
      (await world.trigger(site, trigger, { systemToken })).expect(204);
      for (const product of site.products) {
        expect(await world.findInstallation(site, product)).toMatchObject({
          tenant_id: null,
          installation_id: site.installationId,
          system_token: expect.stringMatching(/^v1\./) as unknown,
          system_token_expires_at: expect.any(String) as unknown,
        });
      }
      expect((await world.tenants.database.bytes()).includes(systemToken)).toBe(false);
    },
  );

  it("is used to ask about people from then on", async () => {
    const site = world.site();
    (await world.trigger(site, "hourly")).expect(204);
    const reply = await world.page(site, GRACE);
    expect(reply.expect(200).body).toMatchObject({ displayName: GRACE.name });
  });

  it("is replaced every hour, and not by one that was overtaken", async () => {
    const site = world.site();
    const read = async () => (await world.findInstallation(site))?.["system_token"];
    (await world.trigger(site, "installed", { madeIn: -10 })).expect(204);
    const first = await read();
    (await world.trigger(site, "hourly")).expect(204);
    const second = await read();
    expect(second).not.toBe(first);
    (await world.trigger(site, "hourly", { madeIn: -5 })).expect(204);
    expect(await read()).toBe(second);
  });

  it("doesn't outlast an installation", async () => {
    const site = world.site();
    (await world.trigger(site, "installed", { madeIn: -10 })).expect(204);
    (await world.page(world.reinstalled(site), GRACE)).expect(200);
    expect(await world.findInstallation(site)).toMatchObject({ system_token: null });
  });

  it.each([
    ["none", null],
    ["one that no header can hold", "a b"],
  ])("must be there, and not be %s", async (_what, systemToken) => {
    const site = world.site();
    await world.tenants.expectNoTrace(async () => {
      expectProblem(await world.trigger(site, "hourly", { systemToken }), "forge_jwt_invalid");
    });
  });

  it("isn't taken from a page", async () => {
    const site = world.site();
    const headers = { "x-forge-oauth-system": world.api.systemToken(site.cloudId) };
    (await world.page(site, GRACE, { headers })).expect(200);
    expect(await world.findInstallation(site)).toMatchObject({ system_token: null });
  });
});

describe("a trigger's token", () => {
  it.each(["installed", "hourly", "uninstalled"] as const)("is obeyed once: %s", async (trigger) => {
    const site = await linkedSite();
    const call = { jti: randomUUID(), systemToken: world.api.systemToken(site.cloudId) };
    (await world.trigger(site, trigger, call)).expect(204);
    await world.tenants.expectNothingStored(async () =>
      (await world.trigger(site, trigger, call)).expect(204),
    );
  });

  it("brings no other system token the second time", async () => {
    const site = world.site();
    const jti = randomUUID();
    (await world.trigger(site, "hourly", { jti })).expect(204);
    await world.tenants.expectNothingStored(async () => {
      expectProblem(await world.trigger(site, "hourly", { jti }), "forge_jwt_invalid");
    });
  });

  it("isn't used for something else", async () => {
    const site = await linkedSite();
    const jti = randomUUID();
    (await world.trigger(site, "hourly", { jti })).expect(204);
    expectProblem(await world.trigger(site, "uninstalled", { jti }), "forge_jwt_invalid");
    expect(await countLinks(site)).toBe(1);
  });

  it.each<[string, unknown]>([
    ["garbage", "{"],
    ["another site", { context: "ari:cloud:jira::site/another", installerAccountId: GRACE.accountId }],
    ["nothing", ""],
  ])("counts whatever the body says: %s", async (_what, body) => {
    (await world.trigger(world.site(), "installed", { body })).expect(204);
  });
});

describe("uninstalling", () => {
  it("erases links and the app's own token at once; settings and audit stay", async () => {
    const site = await linkedSite();
    (await world.trigger(site, "uninstalled")).expect(204);
    expect(await countLinks(site)).toBe(0);
    expect(await world.findTenant(site)).toMatchObject({ state: "uninstalled", proven: 0, generation: 2 });
    expect(await world.findInstallation(site)).toMatchObject({
      system_token: null,
      system_token_expires_at: null,
    });
    expect(await world.auditOf(site)).toEqual(["tenant.installed", "tenant.uninstalled"]);
  });

  it("of an installation that another has followed changes nothing", async () => {
    const site = await linkedSite();
    (await world.trigger(world.reinstalled(site), "installed", { madeIn: -10 })).expect(204);
    (await world.trigger(site, "uninstalled")).expect(204);
    expect(await countLinks(site)).toBe(1);
    expect(await world.findTenant(site)).toMatchObject({ state: "enabled" });
  });

  it("that was overtaken by another installation's event is refused", async () => {
    const site = await linkedSite();
    (await world.trigger(site, "uninstalled", { madeIn: -10 })).expect(204);
    expectProblem(await world.trigger(site, "installed", { madeIn: -15 }), "forge_jwt_invalid");
    expect(await world.findTenant(site)).toMatchObject({ state: "uninstalled" });
  });

  const revivals: readonly (readonly [string, (site: ForgeSender) => Promise<unknown>, string])[] = [
    ["a late hourly trigger", (site) => world.trigger(site, "hourly"), "uninstalled"],
    ["a late call of an open page", (site) => world.page(site, GRACE), "uninstalled"],
    ["an installed event", (site) => world.trigger(site, "installed"), "enabled"],
    [
      "an installed event of a new installation",
      (site) => world.trigger(world.reinstalled(site), "installed"),
      "enabled",
    ],
    ["a page of a new installation", (site) => world.page(world.reinstalled(site), GRACE), "enabled"],
    [
      "an hourly trigger of a new installation",
      (site) => world.trigger(world.reinstalled(site), "hourly"),
      "enabled",
    ],
    ["an hourly trigger much later", later("hourly"), "enabled"],
    [
      "a page much later",
      (site) => {
        travel(700);
        return world.page(site, GRACE);
      },
      "enabled",
    ],
  ];

  it.each(revivals)("counts until it is over: %s", async (_what, call, state) => {
    const site = await linkedSite();
    (await world.trigger(site, "uninstalled", { madeIn: -5 })).expect(204);
    await call(site);
    expect(await world.findTenant(site)).toMatchObject({ state });
    expect(await countLinks(site)).toBe(0);
  });

  it("of a site whose page nobody has opened forgets the app's own token", async () => {
    const site = world.site();
    (await world.trigger(site, "installed", { madeIn: -5 })).expect(204);
    (await world.trigger(site, "uninstalled")).expect(204);
    expect(await world.findInstallation(site)).toMatchObject({ system_token: null });
  });
});

function later(trigger: ForgeTrigger) {
  return (site: ForgeSender) => {
    travel(700);
    return world.trigger(site, trigger);
  };
}
