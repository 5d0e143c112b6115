import { expect, vi } from "vitest";

import type { AccessTeam } from "../../sandbox/access-team.js";
import type { NewService } from "../../sandbox/app-page.js";
import type { AtlassianSite } from "../../sandbox/atlassian-site.js";
import type { Reply } from "../../sandbox/http-client.js";
import { createForgeSender, FORGE_APP_ID, pageClaims } from "../../sandbox/forge-fit.js";
import { ForgeKeys } from "../../sandbox/forge-keys.js";
import { ADA, GRACE, LINUS } from "../../sandbox/people.js";
import { AUDIENCES } from "../../sandbox/world-parts.js";
import { SERVICES, type World } from "../../sandbox/world.js";
import { acting } from "../gateway.fixture.js";
import { senderOf, TenantsWorld, type Sender } from "../lifecycle.fixture.js";
import { expectProblem } from "../refusals.fixture.js";
import { Attacker } from "./attacker.fixture.js";
import type { Refusal } from "./token-kind.fixture.js";

const TEAM_DOMAINS = [
  "acme.cloudflareaccess.com",
  "globex.cloudflareaccess.com",
  "stranger.cloudflareaccess.com",
] as const;

export const NOBODY_LISTENS = "http://127.0.0.1:9";

/** In the one minute that there is, one account and one tenant hand in the tokens of all rows. */
const MANY = { calls: 100_000, perSeconds: 60 };

/** May act as whoever visits it, and be told who looks at a page. */
export const ACTOR: NewService = {
  ...acting("Acting service", {
    requests: [{ methods: ["GET"], path: "/rest/api/3/myself" }],
    consent: "given",
  }),
  purposes: ["act", "assert"],
};

export interface TokenWorldOptions {
  /** Opens the second door. */
  readonly hasForge?: boolean;
}

interface Trace {
  readonly stored: unknown;
  readonly asked: readonly string[];
}

/**
 * One app, whose clock stands still, so that each row meets the second that it was made for. At home Grace is linked in
 * Jira, by the team Acme; elsewhere Linus is, by Globex. Nobody trusts the third team.
 */
export class TokenWorld {
  readonly tenants: TenantsWorld;
  readonly attacker: Attacker;
  readonly elsewhere: AtlassianSite;
  /** A team that another site trusts. */
  readonly globex: AccessTeam;
  /** A team that nobody trusts. */
  readonly strangers: AccessTeam;
  /** Where Grace is through the second door. */
  readonly forgeSite = createForgeSender({
    siteUrl: "https://forge.atlassian.net",
    apiUrl: NOBODY_LISTENS,
  });
  readonly #forgeKeys: ForgeKeys | null;
  #stored: { readonly version: string; readonly rows: unknown } = { version: "", rows: null };

  private constructor(tenants: TenantsWorld, attacker: Attacker, forgeKeys: ForgeKeys | null) {
    this.#forgeKeys = forgeKeys;
    this.tenants = tenants;
    this.attacker = attacker;
    const { sites, teams } = tenants.world.parts;
    [, this.elsewhere] = sites as unknown as [AtlassianSite, AtlassianSite];
    [, this.globex, this.strangers] = teams as unknown as [AccessTeam, AccessTeam, AccessTeam];
  }

  static async start({ hasForge = false }: TokenWorldOptions = {}): Promise<TokenWorld> {
    // Switches off the authentication of atlassian-connect-express, which nothing may depend on.
    vi.stubEnv("AC_OPTS", "no-auth");
    const forgeKeys = hasForge ? await ForgeKeys.start() : null;
    const tenants = await TenantsWorld.start({
      env: forgeKeys
        ? { FORGE_APP_ID, FORGE_KEYS_URL: forgeKeys.url, ATLASSIAN_API_URL: NOBODY_LISTENS }
        : {},
      siteCount: 2,
      teamDomains: [...TEAM_DOMAINS],
      rates: { proof: MANY, lifecycle: MANY },
    });
    const world = new TokenWorld(tenants, await Attacker.start(), forgeKeys);
    await world.#populate();
    vi.setSystemTime(new Date());
    return world;
  }

  async close(): Promise<void> {
    vi.useRealTimers();
    vi.unstubAllEnvs();
    await this.attacker.close();
    await this.tenants.close();
    await this.#forgeKeys?.close();
  }

  get forgeKeys(): ForgeKeys {
    if (!this.#forgeKeys) throw new Error("This world has one door.");
    return this.#forgeKeys;
  }

  get world(): World {
    return this.tenants.world;
  }

  get appUrl(): string {
    return this.world.appUrl;
  }

  get home(): AtlassianSite {
    return this.world.site;
  }

  get tenant(): Sender {
    return senderOf(this.home);
  }

  get otherTenant(): Sender {
    return senderOf(this.elsewhere);
  }

  get acme(): AccessTeam {
    return this.world.team;
  }

  async send(
    method: string,
    target: string,
    headers: Readonly<Record<string, string | undefined>>,
    body?: unknown,
  ): Promise<Reply> {
    const url = `${this.appUrl}${target}`;
    const sent = { accept: "application/json", ...headers };
    return this.tenants.send({
      caller: "A caller",
      method,
      url,
      headers: sent,
      ...(body !== undefined && { body }),
    });
  }

  /** The whole problem, and no trace: nothing written, nobody asked. */
  async expectRefusal(
    request: () => Promise<Reply>,
    [status, code]: Refusal,
    { mayAsk }: { readonly mayAsk?: RegExp } = {},
  ): Promise<Reply> {
    const before = await this.#observe(mayAsk);
    const reply = await request();
    expectProblem(reply, code, this.appUrl);
    expect(reply.status).toBe(status);
    expect(await this.#observe(mayAsk)).toEqual(before);
    return reply;
  }

  async #populate(): Promise<void> {
    const { world, acme, globex } = this;
    for (const [site, team, person] of [
      [this.home, acme, GRACE],
      [this.elsewhere, globex, LINUS],
    ] as const) {
      await world.install("jira", site);
      await this.tenants.waitUntilProven(site);
      await world
        .page(ADA, "jira", site)
        .saveSettings({ teamDomain: team.domain, services: [...SERVICES, ACTOR] });
      const accessJwt = await team.signAccessJwt(person, AUDIENCES.app);
      (await world.page(person, "jira", site).send("POST", "/api/v1/me/links", { accessJwt })).expect(201);
      (await this.tenants.identify(site.host, await team.signAccessJwt(person, AUDIENCES.demo))).expect(200);
      // From now on the team isn't asked about unknown keys for a minute, and the account is known.
      const header = { kid: "unknown" };
      (
        await this.tenants.identify(site.host, await team.signAccessJwt(person, AUDIENCES.demo, { header }))
      ).expect(401);
      (await world.page(person, "jira", site).send("GET", "/api/v1/me")).expect(200);
    }
    if (this.#forgeKeys) await this.#openForge(this.#forgeKeys);
    await vi.waitFor(
      async () =>
        expect(await this.tenants.database.select("SELECT id FROM links WHERE last_used_at IS NULL")).toEqual(
          [],
        ),
      { timeout: 5_000, interval: 10 },
    );
  }

  /** From then on the tenant is known, and nobody is asked about unknown keys for a minute. */
  async #openForge(keys: ForgeKeys): Promise<void> {
    const claims = pageClaims(this.forgeSite, GRACE.accountId);
    const ask = async (header: object) =>
      this.send("GET", "/api/v1/me", { authorization: `Bearer ${await keys.sign(claims, { ...header })}` });
    (await ask({})).expect(200);
    (await ask({ kid: "unknown" })).expect(401);
  }

  /** As a service that acts does. What it did is on the record when it has its answer. */
  async act(headers: Readonly<Record<string, string>>, query = ""): Promise<Reply> {
    const path = `/api/v1/sites/${this.home.host}/jira/rest/api/3/myself${query}`;
    const reply = await this.send("GET", path, headers);
    if (reply.headers["x-gateway-upstream"] === undefined) return reply;
    await vi.waitFor(
      async () => {
        const sql = "SELECT id FROM audit_events WHERE action = 'service.acted' AND reference = ?";
        const recorded = await this.tenants.database.select(sql, [reply.headers["x-request-reference"]]);
        expect(recorded).toHaveLength(1);
      },
      { timeout: 5_000, interval: 10 },
    );
    return reply;
  }

  async #observe(mayAsk?: RegExp): Promise<Trace> {
    const { sites, installKeys, oauth, teams } = this.world.parts;
    const forge = this.#forgeKeys ? [this.#forgeKeys] : [];
    const servers = [...sites, installKeys, oauth, ...teams, ...forge, this.attacker].map(
      ({ server }) => server,
    );
    const asked = servers.flatMap(({ url, requests }) => requests.map((line) => `${url} ${line}`));
    return {
      stored: await this.#readStored(),
      asked: asked.filter((line) => !mayAsk?.test(line)),
    };
  }

  /** Read again only after something has been written, whatever it was. */
  async #readStored(): Promise<unknown> {
    const { database } = this.tenants;
    const version = JSON.stringify(await database.select("PRAGMA data_version"));
    if (version !== this.#stored.version) this.#stored = { version, rows: await database.snapshot() };
    return this.#stored.rows;
  }
}
