import { expect, vi } from "vitest";

import type { AccessTeam } from "../../sandbox/access-team.js";
import type { AtlassianSite, JwtOverrides } from "../../sandbox/atlassian-site.js";
import type { Reply } from "../../sandbox/http-client.js";
import { epochSeconds, signJwt, type Claims } from "../../sandbox/jwt.js";
import { ADA, GRACE, type Person } from "../../sandbox/people.js";
import { AUDIENCES } from "../../sandbox/world-parts.js";
import { SERVICES, type World } from "../../sandbox/world.js";
import { describeQsh } from "../../src/connect/request-meaning.fixture.js";
import { CONTEXT_CALLS } from "../hostile-input.fixture.js";
import { APP_KEY, expectProblem, senderOf, TenantsWorld, travel } from "../lifecycle.fixture.js";

const GLOBEX = "globex.cloudflareaccess.com";

interface Visit {
  readonly path?: string;
  readonly query?: string;
  /** The query that the token is signed for. */
  readonly signedQuery?: string;
  readonly jwt?: JwtOverrides;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Two companies with one app: in the Jira of `victim` Grace is linked, and somebody bad administers that of `attacker`. */
export class WeaknessWorld {
  readonly tenants: TenantsWorld;
  readonly victim: AtlassianSite;
  readonly attacker: AtlassianSite;
  readonly globex: AccessTeam;
  #secondsAhead = 0;

  private constructor(tenants: TenantsWorld) {
    this.tenants = tenants;
    const { sites, teams } = tenants.world.parts;
    [this.victim, this.attacker] = sites as readonly AtlassianSite[] as [AtlassianSite, AtlassianSite];
    [, this.globex] = teams as readonly AccessTeam[] as [AccessTeam, AccessTeam];
    tenants.world.parts.client.observer = {
      called: () => undefined,
      // With atlassian-connect-express, each success would bring a session token.
      answered: (_call, reply) => expect(reply?.headers ?? {}).not.toHaveProperty("x-acpt"),
    };
  }

  static async start(): Promise<WeaknessWorld> {
    // They beat what atlassian-connect-express is told; the first switches its authentication off.
    vi.stubEnv("AC_OPTS", "no-auth");
    vi.stubEnv("AC_LOCAL_BASE_URL", "https://evil.example");
    vi.stubEnv("AC_APP_KEY", "another-app");
    const teamDomains = ["acme.cloudflareaccess.com", GLOBEX] as const;
    const here = new WeaknessWorld(await TenantsWorld.start({ siteCount: 2, teamDomains }));
    const { tenants, world, victim, attacker } = here;
    for (const [site, team] of [
      [victim, here.acme],
      [attacker, here.globex],
    ] as const) {
      await world.install("jira", site);
      await tenants.waitUntilProven(site);
      await world.page(ADA, "jira", site).saveSettings({ teamDomain: team.domain, services: SERVICES });
    }
    await world.link(GRACE);
    (await here.identify(await here.accessJwt())).expect(200);
    // The use of a link is noted in the background: from now on nothing is written by itself.
    await vi.waitFor(async () =>
      expect(await tenants.database.select("SELECT id FROM links WHERE last_used_at IS NULL")).toEqual([]),
    );
    // Nor is anybody asked who Grace is, or which keys there are.
    for (const site of [victim, attacker]) (await here.getMe({}, site)).expect(200);
    return here;
  }

  async close(): Promise<void> {
    vi.unstubAllEnvs();
    await this.tenants.close();
  }

  get world(): World {
    return this.tenants.world;
  }

  get acme(): AccessTeam {
    return this.world.team;
  }

  /** Opens a page as the victim's Jira would. */
  async openPage({
    path = "/account",
    query = "",
    signedQuery = query,
    jwt,
    headers,
  }: Visit = {}): Promise<Reply> {
    const url = `${this.world.appUrl}${path}`;
    const claims = { qsh: describeQsh("GET", `${path}?${signedQuery}`, ""), ...jwt?.claims };
    const token = await this.victim.urlBoundJwt("jira", GRACE.accountId, "GET", url, { ...jwt, claims });
    return this.get(`${path}?${query}&jwt=${token}`, headers);
  }

  async getMe(jwt: JwtOverrides = {}, site = this.victim): Promise<Reply> {
    return this.tenants.sendAs(await site.contextJwt("jira", GRACE.accountId, jwt), "/api/v1/me");
  }

  /** `target` is below the app's base URL. */
  async get(target: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    return this.tenants.send({
      caller: "Somebody",
      method: "GET",
      url: `${this.world.appUrl}${target}`,
      headers,
    });
  }

  async accessJwt(
    claims: Claims = {},
    { person = GRACE, team = this.acme }: { person?: Person; team?: AccessTeam } = {},
  ): Promise<string> {
    return team.signAccessJwt(person, AUDIENCES.demo, { claims });
  }

  async identify(accessJwt: string): Promise<Reply> {
    return this.tenants.identify(this.victim.host, accessJwt);
  }

  /**
   * Knocks at every kind of route with tokens that have these claims and are else as they should be: signed by the
   * attacker's own tenant, and where that isn't taken by Atlassian and by the team.
   */
  async knockEverywhere(claims: Claims): Promise<Map<string, number>> {
    const { attacker, tenants } = this;
    const statuses = new Map<string, number>();
    const [link] = await tenants.database.select("SELECT id FROM links");
    const contextJwt = await attacker.contextJwt("jira", ADA.accountId, { claims });
    for (const [method, path] of [
      ...CONTEXT_CALLS,
      ["DELETE", `/api/v1/links/${String(link?.["id"])}`],
    ] as const) {
      const reply = await tenants.sendAs(contextJwt, path, method, method === "GET" ? undefined : {});
      statuses.set(`${method} ${path}`, reply.status);
    }
    for (const path of ["/admin", "/account"]) {
      const url = `${this.world.appUrl}${path}`;
      const token = await attacker.urlBoundJwt("jira", ADA.accountId, "GET", url, { claims });
      statuses.set(path, (await this.get(`${path}?jwt=${token}`)).status);
    }
    const sender = senderOf(attacker);
    for (const type of ["installed", "uninstalled", "enabled", "disabled"] as const) {
      statuses.set(type, (await tenants.sendEvent(sender, type, { claims })).status);
      const bySecret = await tenants.sendEvent(sender, type, { claims, isSignedByTenant: true });
      statuses.set(`${type} by secret`, bySecret.status);
    }
    const accessJwt = await this.accessJwt(claims);
    statuses.set("identity", (await this.identify(accessJwt)).status);
    const headers = { "cf-access-jwt-assertion": accessJwt };
    statuses.set("popup", (await this.get("/access/link/some-attempt", headers)).status);
    return statuses;
  }

  /** Pages, API and install events: all that Connect JWTs open. */
  async expectNoDoorOpens(claims: Claims): Promise<void> {
    await this.tenants.expectNoTrace(async () => {
      expectUnauthorized(await this.openPage({ jwt: { claims } }));
      expectUnauthorized(await this.getMe({ claims }));
      const sender = senderOf(this.victim);
      expectUnauthorized(await this.tenants.sendEvent(sender, "installed", { claims }));
      expectUnauthorized(await this.tenants.sendEvent(sender, "disabled", { claims }));
      expectUnauthorized(
        await this.tenants.sendEvent(sender, "disabled", { claims, isSignedByTenant: true }),
      );
    });
  }

  async expectEveryKnockRefused(claims: Claims): Promise<void> {
    await this.tenants.expectNoTrace(async () => {
      const statuses = await this.knockEverywhere(claims);
      expect(statuses.size).toBeGreaterThan(20);
      expect([...statuses].filter(([, status]) => status !== 401)).toEqual([]);
    });
  }

  async expectWithdrawnKeyRefused(): Promise<void> {
    const old = await this.accessJwt();
    await this.rotate();
    this.acme.dropOldKeys();
    this.travelOn(2 * 3600);
    await vi.waitFor(async () => expectProblem(await this.identify(old), "access_jwt_untrusted"));
    (await this.identify(await this.accessJwt())).expect(200);
  }

  /** On from where all attempts so far have got to: an app whose clock goes back asks for keys again. */
  travelOn(seconds: number): void {
    this.#secondsAhead += seconds;
    if (this.#secondsAhead === 0) return;
    vi.useRealTimers();
    travel(this.#secondsAhead);
  }

  /** The team publishes a new key, with which it signs from now on. */
  async rotate(): Promise<void> {
    await this.acme.rotateKeys();
    // Unknown names of keys are asked for once a minute.
    this.travelOn(61);
  }

  /** A token as atlassian-connect-express signs them for its sessions. */
  async aceSession(): Promise<string> {
    const { clientKey, sharedSecret } = this.victim.getInstallation("jira");
    const iat = epochSeconds();
    const claims = {
      iss: APP_KEY,
      aud: [clientKey],
      sub: GRACE.accountId,
      iat,
      exp: iat + 900,
    };
    return signJwt({}, claims, sharedSecret);
  }
}

export function expectUnauthorized(reply: Reply): void {
  expect(reply.status, reply.text).toBe(401);
}
