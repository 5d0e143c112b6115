import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";

import { AuditLog } from "../audit/audit-log.js";
import type { Initiator } from "../audit/audit-log.js";
import { epochSeconds } from "../clock.js";
import { sha256Hex } from "../identifiers.js";
import { buildService, buildSettings, insertTenant } from "../storage/builders.fixture.js";
import { NOW, openTestDatabase } from "../storage/test-database.fixture.js";
import type { Tenant } from "../tenants/tenant.js";
import type { IdentityLink } from "./identity-link.js";
import type { VerifiedAccessJwt } from "./verified-access-jwt.js";
import { LinkService } from "./link-service.js";

const clock = { now: () => NOW };
const AUDIENCE = "a".repeat(64);
const TEAM = "acme.cloudflareaccess.com";
const BY: Initiator = { actor: { type: "user", accountId: "account-1" }, ip: null, reference: null };

const settings = buildSettings({
  teamDomain: TEAM,
  services: [buildService({ audience: AUDIENCE, purposes: ["link"] })],
  allowedEmailDomains: [],
  paused: false,
  version: 1,
});

function buildToken(overrides: Partial<VerifiedAccessJwt> = {}): VerifiedAccessJwt {
  return {
    issuer: `https://${TEAM}`,
    teamDomain: TEAM,
    audiences: [AUDIENCE],
    issuedAt: epochSeconds(clock) - 60,
    notBefore: null,
    expiresAt: epochSeconds(clock) + 3600,
    holder: { kind: "person", subject: "subject-1", email: "ada@acme.com" },
    hash: sha256Hex("token-1"),
    ...overrides,
  };
}

async function setUp() {
  const database = await openTestDatabase();
  const tenant = await database.write(async (stores) => {
    const inserted = { ...(await insertTenant(stores)), proven: true };
    await stores.settings.replace(inserted.id, settings, 0);
    return inserted;
  });
  let token = buildToken();
  const { links } = database.read;
  const leftWhenForgotten: Promise<[accountId: string, links: number]>[] = [];
  const service = new LinkService({
    database,
    clock,
    audit: new AuditLog({ clock, reader: database.read.audit }),
    memory: {
      forgetAccount: (tenantId, accountId) => {
        const left = links.listOfAccount(tenantId, accountId);
        leftWhenForgotten.push(left.then(({ length }) => [accountId, length]));
      },
    },
    accessJwts: { verify: () => Promise.resolve(token), remembers: () => false },
  });
  const link = (accountId: string) => service.linkWithToken({ tenant, accountId }, "token", BY);
  return {
    database,
    tenant,
    service,
    link,
    listForgotten: () => Promise.all(leftWhenForgotten),
    show: (overrides: Partial<VerifiedAccessJwt>) => (token = buildToken(overrides)),
  };
}

describe("LinkService.linkWithToken", () => {
  it("obeys settings that changed while it waited for its turn to write", async () => {
    const { database, tenant, link } = await setUp();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const pausing = database.write(async (stores) => {
      await held;
      await stores.settings.replace(tenant.id, { ...settings, paused: true, version: 2 }, 1);
    });
    const linking = expect(link("account-1")).rejects.toMatchObject({ code: "paused" });
    // It has read the settings by then, and queues behind the pause.
    await delay(100);
    release();
    await Promise.all([pausing, linking]);
    expect(await database.read.links.listOfAccount(tenant.id, "account-1")).toEqual([]);
  });

  it("renews the label when the e-mail of a proved identity has changed, and says so in the audit log", async () => {
    const { database, tenant, link, show } = await setUp();
    const first = await link("account-1");
    show({
      hash: sha256Hex("token-2"),
      holder: { kind: "person", subject: "subject-1", email: "ada.lovelace@acme.com" },
    });
    const second = await link("account-1");
    expect(second).toMatchObject({ isNew: false, link: { ...first.link, email: "ada.lovelace@acme.com" } });
    expect(await database.read.links.listOfAccount(tenant.id, "account-1")).toEqual([second.link]);
    const { items } = await database.read.audit.list(
      tenant.id,
      { kind: null, action: "link.replaced", actor: null, from: null, to: null },
      { limit: 10, cursor: null },
    );
    expect(items).toHaveLength(1);
  });

  it.each(["email", "admin"] as const)(
    "replaces a link that was made by %s, also another account's",
    async (method) => {
      const { database, tenant, link } = await setUp();
      const first = await link("account-1");
      await database.write((stores) =>
        stores.links.update(tenant.id, { ...first.link, method, accountId: "account-0" }),
      );
      const { link: proved } = await link("account-1");
      expect(proved).toMatchObject({ id: first.link.id, accountId: "account-1", method: "proof" });
      expect(await database.read.links.listOfAccount(tenant.id, "account-0")).toEqual([]);
    },
  );
});

describe("what was got to act as an account is forgotten once its link is gone, not before", () => {
  it("by another account's proof", async () => {
    const { database, tenant, link, listForgotten } = await setUp();
    const { link: first } = await link("account-1");
    await database.write((stores) =>
      stores.links.update(tenant.id, { ...first, method: "admin", accountId: "account-0" }),
    );
    await link("account-1");
    expect(await listForgotten()).toEqual([["account-0", 0]]);
  });

  it.each<[who: string, remove: (service: LinkService, tenant: Tenant, link: IdentityLink) => Promise<void>]>(
    [
      [
        "its owner",
        (service, tenant, { id }) => service.removeOwn({ tenant, accountId: "account-1" }, id, BY),
      ],
      ["the identity's holder", (service, { id }, link) => service.removeOfIdentity(id, link.id, link, BY)],
      ["an admin", (service, tenant, { id }) => service.removeAsAdmin(tenant.id, id, BY)],
    ],
  )("by %s", async (_who, remove) => {
    const { tenant, service, link, listForgotten } = await setUp();
    await remove(service, tenant, (await link("account-1")).link);
    expect(await listForgotten()).toEqual([["account-1", 0]]);
  });
});
