import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { AppPage, NewService } from "../sandbox/app-page.js";
import type { AtlassianSite } from "../sandbox/atlassian-site.js";
import { ADA, DORA, GRACE, LINUS } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { SERVICES, type World } from "../sandbox/world.js";
import type { ProblemCode } from "../src/errors.js";
import { agree, consentPath, READER, reader, readMine, readStanding, withdraw } from "./consents.fixture.js";
import { expectProblem, TenantsWorld, travel } from "./lifecycle.fixture.js";

const NO_DIGEST = "0".repeat(64);

let tenants: TenantsWorld;
let world: World;
beforeAll(async () => {
  tenants = await TenantsWorld.start();
  world = tenants.world;
});
afterAll(() => tenants.close());

interface Scene {
  readonly site: AtlassianSite;
  readonly admin: AppPage;
  readonly page: AppPage;
}

/** A site of its own, where services are listed. */
async function startScene(...services: readonly NewService[]): Promise<Scene> {
  const site = await tenants.installed();
  const admin = world.page(ADA, "jira", site);
  const listed = services.length === 0 ? [READER] : services;
  await admin.saveSettings({ teamDomain: world.team.domain, services: [SERVICES[0], ...listed] });
  return { site, admin, page: world.page(GRACE, "jira", site) };
}

/** Lays changes over the service that acts. */
async function changeService({ admin }: Scene, changes: Partial<NewService>): Promise<void> {
  const { services } = await admin.getSettings();
  await admin.saveSettings({
    services: services.map((service) =>
      service.audience === READER.audience ? { ...service, ...changes } : service,
    ),
  });
}

async function listEvents({ admin }: Scene): Promise<object[]> {
  const { body } = (await admin.send("GET", "/api/v1/audit")).expect(200);
  return (body as { items: { action: string }[] }).items.filter(({ action }) => action.startsWith("consent"));
}

function countStored({ site }: Scene): Promise<unknown> {
  const { clientKey } = site.getInstallation("jira");
  return tenants.database.select(
    "SELECT account_id FROM consents JOIN tenants ON tenants.id = tenant_id WHERE client_key = ?",
    [clientKey],
  );
}

describe("a person sees", () => {
  it("the services that may act for them, with all that these may do, and no others", async () => {
    const { page, admin } = await startScene();
    const { services } = await admin.getSettings();

    expect(await readMine(page)).toMatchObject({
      consents: [],
      services: [
        {
          serviceId: services[1]?.id,
          label: READER.label,
          purposes: ["identify", "act"],
          requests: READER.limits.requests,
          maxTokenAgeSeconds: 86_400,
          standing: "undecided",
          digest: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
          decidedAt: null,
        },
      ],
    });
  });

  it("that a service without limits may do nothing", async () => {
    const { page } = await startScene({ ...READER, limits: null });
    expect(await readStanding(page)).toMatchObject({ requests: [], standing: "undecided" });
  });

  it("what they decided themselves, and nothing of others", async () => {
    const scene = await startScene();
    const linus = world.page(LINUS, "jira", scene.site);
    await agree(scene.page);

    const { consents, services } = await readMine(scene.page);
    const [{ serviceId, label, decidedAt, standing } = {}] = services;
    expect(standing).toBe("agreed");
    expect(consents).toEqual([{ serviceId, label, grantedAt: decidedAt }]);
    expect(await readMine(linus)).toMatchObject({ consents: [], services: [{ standing: "undecided" }] });
  });
});

describe("consent", () => {
  it("is given once, to what was shown, and audited with it", async () => {
    const scene = await startScene();
    await agree(scene.page);
    const first = await readStanding(scene.page);
    travel(60);
    await agree(scene.page);

    expect(await readStanding(scene.page)).toEqual(first);
    expect(await listEvents(scene)).toEqual([
      expect.objectContaining({
        action: "consent.given",
        actor: { type: "user", accountId: GRACE.accountId },
        target: { type: "service", id: first.serviceId },
        after: {
          label: READER.label,
          audience: READER.audience,
          purposes: READER.purposes,
          requests: READER.limits.requests,
        },
      }),
    ]);
  });

  it("is taken back at once, and audited once", async () => {
    const scene = await startScene();
    await agree(scene.page);
    await withdraw(scene.page);
    await withdraw(scene.page);

    expect(await readMine(scene.page)).toMatchObject({ consents: [], services: [{ standing: "withdrawn" }] });
    const { serviceId } = await readStanding(scene.page);
    expect(await listEvents(scene)).toMatchObject([
      {
        action: "consent.withdrawn",
        actor: { type: "user", accountId: GRACE.accountId },
        target: { type: "service", id: serviceId },
      },
      { action: "consent.given" },
    ]);
    await agree(scene.page);
    expect(await readMine(scene.page)).toMatchObject({ consents: [{ serviceId }] });
  });

  it("that an admin gave for everybody is taken back by its person, and stays so", async () => {
    const scene = await startScene(reader({ consent: "given" }));
    expect(await readMine(scene.page)).toMatchObject({ consents: [], services: [{ standing: "given" }] });
    await withdraw(scene.page);
    expect(await readStanding(scene.page)).toMatchObject({ standing: "withdrawn" });

    await changeService(scene, reader({ consent: "given", requests: [{ methods: ["GET"], path: "/**" }] }));
    expect(await readStanding(scene.page)).toMatchObject({ standing: "withdrawn" });
    const linus = world.page(LINUS, "jira", scene.site);
    expect(await readStanding(linus)).toMatchObject({ standing: "given" });
  });

  it.each<[what: string, changes: Partial<NewService>]>([
    ["another request", reader({ requests: [...READER.limits.requests, { methods: ["GET"], path: "/x" }] })],
    ["another method", reader({ requests: [{ methods: ["GET", "PUT"], path: "/rest/api/3/issue/*" }] })],
    ["a wider path", reader({ requests: [{ methods: ["GET"], path: "/rest/**" }] })],
    ["another purpose", { purposes: ["act"] }],
    ["older tokens", reader({ maxTokenAgeSeconds: 31 * 86_400 })],
  ])("is asked for again after %s, and not to what was shown before", async (_what, changes) => {
    const scene = await startScene();
    await agree(scene.page);
    const { serviceId, digest } = await readStanding(scene.page);
    await changeService(scene, changes);

    expect(await readMine(scene.page)).toMatchObject({ consents: [], services: [{ standing: "changed" }] });
    const path = consentPath(serviceId);
    await tenants.expectNothingStored(async () =>
      expectProblem(await scene.page.send("PUT", path, { digest }), "consent_changed"),
    );
    await agree(scene.page);
    expect(await readStanding(scene.page)).toMatchObject({ standing: "agreed" });
  });

  it("outlives what changes nothing for its person", async () => {
    const scene = await startScene();
    await agree(scene.page);
    const others = { maxTokenAgeSeconds: 86_400, ipAddresses: ["203.0.113.0/24"], liveCheckSeconds: 60 };
    await changeService(scene, { ...reader(others), label: "Another name", paused: true });
    expect(await readMine(scene.page)).toMatchObject({
      consents: [{ label: "Another name" }],
      services: [{ standing: "agreed" }],
    });
  });
});

describe("what a person withdrew", () => {
  it("outlives the purpose to act: no admin resets it by taking that away and giving it back", async () => {
    const scene = await startScene(reader({ consent: "given" }));
    const linus = world.page(LINUS, "jira", scene.site);
    await withdraw(scene.page);
    await agree(linus);
    await changeService(scene, { purposes: ["identify"] });
    expect(await countStored(scene)).toEqual([{ account_id: GRACE.accountId }]);
    await changeService(scene, { purposes: ["identify", "act"] });

    expect(await readStanding(scene.page)).toMatchObject({ standing: "withdrawn" });
    expect(await readStanding(linus)).toMatchObject({ standing: "given" });
  });

  it("and what another agreed to, outlives that an admin's document is written again, without ids", async () => {
    const scene = await startScene();
    const linus = world.page(LINUS, "jira", scene.site);
    await withdraw(scene.page);
    await agree(linus);
    const { services } = await scene.admin.getSettings();
    await scene.admin.saveSettings({ services: services.map((service) => ({ ...service, id: null })) });
    expect(await readStanding(scene.page)).toMatchObject({ standing: "withdrawn" });
    expect(await readStanding(linus)).toMatchObject({ standing: "agreed" });
  });

  it("outlives the service, which is taken from the list and put there again", async () => {
    const scene = await startScene(reader({ consent: "given" }));
    const { serviceId } = await readStanding(scene.page);
    await withdraw(scene.page);
    await scene.admin.saveSettings({ services: [SERVICES[0]] });
    await scene.admin.saveSettings({ services: [SERVICES[0], reader({ consent: "given" })] });

    const again = await readStanding(scene.page);
    expect(again.serviceId).not.toBe(serviceId);
    expect(again.standing).toBe("withdrawn");
    expect(await readStanding(world.page(LINUS, "jira", scene.site))).toMatchObject({ standing: "given" });
    await agree(scene.page);
    expect(await readStanding(scene.page)).toMatchObject({ standing: "agreed" });
  });

  describe("from one audience stays so, whichever entry of the list has it:", () => {
    const OTHER = { label: "Other", audience: "1".repeat(64) };
    const given = (changes: Partial<NewService> = {}) => ({ ...reader({ consent: "given" }), ...changes });

    /** By label. */
    async function readStandings(page: AppPage): Promise<Record<string, string>> {
      const { services } = await readMine(page);
      return Object.fromEntries(services.map(({ label, standing }) => [label, standing]));
    }

    it.each([
      ["one save", 1],
      ["two", 2],
    ])("the service gets another audience, and a new one takes its own, in %s", async (_what, saves) => {
      const scene = await startScene(given());
      await withdraw(scene.page);
      const [link, acting] = (await scene.admin.getSettings()).services as [NewService, NewService];
      const moved = { ...acting, audience: OTHER.audience };
      const taker = given({ label: "Taker" });
      if (saves === 2) await scene.admin.saveSettings({ services: [link, moved] });
      await scene.admin.saveSettings({ services: [link, moved, taker] });

      const withdrawn = { [READER.label]: "withdrawn", Taker: "withdrawn" };
      expect(await readStandings(scene.page)).toEqual(withdrawn);
      const linus = world.page(LINUS, "jira", scene.site);
      expect(await readStandings(linus)).toEqual({ [READER.label]: "given", Taker: "given" });
    });

    it("the service gets another audience, its person agrees to that, and a new one takes its own", async () => {
      const scene = await startScene(given());
      await withdraw(scene.page);
      await changeService(scene, { audience: OTHER.audience });
      await agree(scene.page);
      const { services } = await scene.admin.getSettings();
      await scene.admin.saveSettings({ services: [...services, given({ label: "Taker" })] });
      expect(await readStandings(scene.page)).toEqual({ [READER.label]: "agreed", Taker: "withdrawn" });
    });

    it("two services swap theirs, and swap them back", async () => {
      const scene = await startScene(given(), given(OTHER));
      const { services } = await readMine(scene.page);
      (await scene.page.send("DELETE", consentPath(services[0]?.serviceId ?? ""))).expect(204);
      expect(await readStandings(scene.page)).toEqual({ [READER.label]: "withdrawn", Other: "given" });

      for (let times = 0; times < 2; times += 1) {
        const [link, one, other] = (await scene.admin.getSettings()).services as NewService[];
        if (!link || !one || !other) throw new Error("There aren't three services.");
        const swapped = [
          { ...one, audience: other.audience },
          { ...other, audience: one.audience },
        ];
        await scene.admin.saveSettings({ services: [link, ...swapped] });
        expect(await readStandings(scene.page)).toEqual({ [READER.label]: "withdrawn", Other: "withdrawn" });
      }
      expect(await readStandings(world.page(LINUS, "jira", scene.site))).toEqual({
        [READER.label]: "given",
        Other: "given",
      });
    });

    it("what its person decides next, with whichever has it now, is what counts when it moves on", async () => {
      const scene = await startScene(given());
      const replaceBy = async (label: string) => {
        await scene.admin.saveSettings({ services: [SERVICES[0]] });
        await scene.admin.saveSettings({ services: [SERVICES[0], given({ label })] });
      };
      await withdraw(scene.page);
      for (const label of ["Second", "Third"]) {
        await replaceBy(label);
        expect(await readStandings(scene.page)).toEqual({ [label]: "withdrawn" });
      }
      await agree(scene.page);
      await replaceBy("Fourth");
      expect(await readStandings(scene.page)).toEqual({ Fourth: "given" });
    });
  });
});

describe("consents are erased, everybody's and in the same write,", () => {
  async function agreeTwice(): Promise<Scene> {
    const scene = await startScene();
    await agree(scene.page);
    await agree(world.page(LINUS, "jira", scene.site));
    expect(await countStored(scene)).toHaveLength(2);
    return scene;
  }

  it("with their service", async () => {
    const scene = await agreeTwice();
    await scene.admin.saveSettings({ services: SERVICES });
    expect(await countStored(scene)).toEqual([]);
  });

  it("with its purpose to act, and they don't come back with it", async () => {
    const scene = await agreeTwice();
    await changeService(scene, { purposes: ["identify"] });
    expect(await countStored(scene)).toEqual([]);
    await changeService(scene, { purposes: ["identify", "act"] });
    expect(await readStanding(scene.page)).toMatchObject({ standing: "undecided" });
  });

  it("which the audit log tells once for each service, with how many agreed, after what was changed", async () => {
    const scene = await agreeTwice();
    const linus = world.page(LINUS, "jira", scene.site);
    await withdraw(linus);
    const { serviceId } = await readStanding(scene.page);
    await changeService(scene, { purposes: ["identify"] });
    const [removed] = await listEvents(scene);
    expect(removed).toMatchObject({
      action: "consents.removed",
      actor: { type: "user", accountId: ADA.accountId },
      target: { type: "service", id: serviceId },
      before: { serviceId, label: READER.label, count: 1 },
      after: null,
    });
    await changeService(scene, { purposes: ["identify", "act"] });
    await changeService(scene, { purposes: ["identify"] });
    expect(await listEvents(scene)).toHaveLength(4);
  });

  it("with the installation", async () => {
    const scene = await agreeTwice();
    (await scene.site.uninstall("jira")).expect(204);
    expect(await countStored(scene)).toEqual([]);
  });

  it("but not when the settings weren't saved, and not another service's", async () => {
    const scene = await agreeTwice();
    const settings = await scene.admin.getSettings();
    const stale = { ...settings, services: [], version: settings.version - 1 };
    expectProblem(await scene.admin.send("PUT", "/api/v1/settings", stale), "version_conflict");
    const other = { label: "Other", audience: "1".repeat(64), purposes: ["act"] as const };
    await scene.admin.saveSettings({ services: [...settings.services, other] });
    await scene.admin.saveSettings({ services: settings.services });
    expect(await countStored(scene)).toHaveLength(2);
  });
});

describe("nobody can decide", () => {
  const METHODS = ["PUT", "DELETE"] as const;

  it("about a service that isn't there, or that may not act", async () => {
    const { page, admin } = await startScene();
    const { services } = await admin.getSettings();
    await tenants.expectNothingStored(async () => {
      for (const id of [services[0]?.id ?? "", "x", "%00", "%27%20OR%201=1", "__proto__"]) {
        for (const method of METHODS) {
          const reply = await page.send(method, consentPath(id), { digest: NO_DIGEST });
          expectProblem(reply, "not_found");
        }
      }
    });
  });

  it("about another tenant's service, also one of the same team and audience", async () => {
    const [scene, other] = [await startScene(), await startScene()];
    const { serviceId, digest } = await readStanding(other.page);
    await tenants.expectNothingStored(async () => {
      for (const method of METHODS) {
        expectProblem(await scene.page.send(method, consentPath(serviceId), { digest }), "not_found");
      }
    });
  });

  it("for the other product of the same site", async () => {
    const site = await tenants.installed("jira", "confluence");
    for (const product of ["jira", "confluence"] as const) {
      const admin = world.page(ADA, product, site);
      await admin.saveSettings({ teamDomain: world.team.domain, services: [READER] });
    }
    await agree(world.page(GRACE, "jira", site));
    expect(await readStanding(world.page(GRACE, "confluence", site))).toMatchObject({
      standing: "undecided",
    });
  });

  it("for somebody else, as an admin neither", async () => {
    const scene = await startScene();
    await agree(scene.admin);
    expect(await readStanding(scene.page)).toMatchObject({ standing: "undecided" });
    await agree(scene.page);
    await withdraw(scene.admin);
    expect(await readStanding(scene.page)).toMatchObject({ standing: "agreed" });
  });

  it.each<[what: string, body: unknown, code: ProblemCode, fields?: readonly string[]]>([
    ["another digest", { digest: NO_DIGEST }, "consent_changed"],
    ["no digest", {}, "validation_failed", ["digest"]],
    ["a digest that isn't one", { digest: "x" }, "validation_failed", ["digest"]],
    ["an empty digest", { digest: "" }, "validation_failed", ["digest"]],
    ["no text", { digest: [NO_DIGEST] }, "validation_failed", ["digest"]],
    ["a digest in capitals", { digest: "A".repeat(64) }, "validation_failed", ["digest"]],
    [
      "somebody's account",
      { digest: NO_DIGEST, accountId: LINUS.accountId },
      "validation_failed",
      ["accountId"],
    ],
  ])("with %s", async (_what, body, code, fields) => {
    const { page } = await startScene();
    const { serviceId } = await readStanding(page);
    await tenants.expectNothingStored(async () => {
      expectProblem(await page.send("PUT", consentPath(serviceId), body), code, fields);
    });
  });

  it("with a deactivated account", async () => {
    const { page, site } = await startScene();
    const { serviceId, digest } = await readStanding(page);
    const reply = await world.page(DORA, "jira", site).send("PUT", consentPath(serviceId), { digest });
    expectProblem(reply, "account_inactive");
  });

  it("while no host vouches for the tenant: whoever sent its new secret could agree for everybody", async () => {
    const scene = await startScene();
    const { serviceId, digest } = await readStanding(scene.page);
    await agree(world.page(LINUS, "jira", scene.site));
    scene.site.behaviour.failing = true;
    (await scene.site.install("jira", world.appUrl)).expect(204);

    for (const method of METHODS) {
      expectProblem(await scene.page.send(method, consentPath(serviceId), { digest }), "paused");
    }
    expect(await readMine(world.page(LINUS, "jira", scene.site))).toMatchObject({
      consents: [],
      services: [],
    });
    expect(await countStored(scene)).toHaveLength(1);
  });

  it("with anything but a context JWT", async () => {
    const { page } = await startScene();
    const { serviceId, digest } = await readStanding(page);
    const accessJwt = await world.team.signAccessJwt(GRACE, AUDIENCES.demo);
    for (const headers of [
      {},
      { authorization: `Bearer ${accessJwt}` },
      { "cf-access-jwt-assertion": accessJwt },
    ]) {
      const call = { caller: "A service", method: "PUT", url: `${world.appUrl}${consentPath(serviceId)}` };
      expectProblem(await tenants.send({ ...call, headers, body: { digest } }), "connect_jwt_missing");
    }
  });

  it("agreement more than 60 times an hour, each account apart; taking back is never held up", async () => {
    const scene = await startScene();
    const { serviceId, digest } = await readStanding(scene.page);
    const path = consentPath(serviceId);
    travel(0);
    for (let times = 0; times < 60; times += 1) {
      (await scene.page.send("DELETE", path)).expect(204);
      (await scene.page.send("PUT", path, { digest })).expect(204);
    }
    (await scene.page.send("DELETE", path)).expect(204);
    expect(await readStanding(scene.page)).toMatchObject({ standing: "withdrawn" });
    await tenants.expectNothingStored(async () =>
      expectProblem(await scene.page.send("PUT", path, { digest }), "rate_limited"),
    );
    await agree(world.page(LINUS, "jira", scene.site));
    travel(3601);
    (await scene.page.send("PUT", path, { digest })).expect(204);
  });
});
