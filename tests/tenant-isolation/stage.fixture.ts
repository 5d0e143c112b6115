import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { vi } from "vitest";

import { AtlassianSite, type LifecycleEvent } from "../../sandbox/atlassian-site.js";
import type { Reply } from "../../sandbox/http-client.js";
import { epochSeconds, queryStringHash, signJwt } from "../../sandbox/jwt.js";
import type { Issue } from "../../sandbox/site-content.js";
import type { ListedService } from "../../src/services/settings.js";
import type { Product } from "../../src/tenants/tenant.js";
import {
  PEOPLE_OF,
  PERSON,
  PLACES,
  TEAM_NAMES,
  TENANT_NAMES,
  type PersonName,
  type SiteName,
  type TeamName,
  type TenantName,
} from "./cast.fixture.js";
import { Bystander } from "./bystander.fixture.js";
import type { AccessToken, Caller, Question } from "./known.fixture.js";
import type { LinkingWorld } from "../linking-scene.fixture.js";

type Headers = Readonly<Record<string, string | undefined>>;

/** Nobody has this secret, client key or attempt. */
const NOBODYS = "nobody-has-ever-made-this";

export interface StoredUse {
  /** In the audit log. */
  readonly events: number;
  readonly calls: number;
}

const STORED_USE = `SELECT
  (SELECT count(*) FROM audit_events WHERE tenant_id IN (?) AND action IN ('service.acted', 'assertion.issued')) AS events,
  (SELECT coalesce(sum(calls), 0) FROM service_days WHERE tenant_id IN (?)) AS calls`;
const WAIT_MILLISECONDS = 10;
const MOST_WAIT_MILLISECONDS = 3_000;

/** Two new sites on the running app, and all that can be sent to it. */
export class Stage {
  readonly #linking: Omit<LinkingWorld, "close">;
  readonly #sites: Readonly<Record<SiteName, AtlassianSite>>;
  readonly #bystander: Bystander;
  readonly #oldSecrets = new Map<TenantName, string>();
  readonly #tokens = new Map<string, AccessToken>();

  private constructor(
    linking: Omit<LinkingWorld, "close">,
    sites: Readonly<Record<SiteName, AtlassianSite>>,
    bystander: Bystander,
  ) {
    this.#bystander = bystander;
    this.#linking = linking;
    this.#sites = sites;
  }

  static async start(linking: Omit<LinkingWorld, "close">): Promise<Stage> {
    const { installKeys, client } = linking.world.parts;
    const startSite = (name: SiteName) =>
      AtlassianSite.start({ keys: installKeys, client, people: PEOPLE_OF[name] });
    const sites = { acme: await startSite("acme"), globex: await startSite("globex") };
    for (const site of Object.values(sites)) linking.world.parts.oauth.serve(site);
    return new Stage(linking, sites, await Bystander.meet(linking));
  }

  /** Leaves nothing behind that another run would notice: no tenant that trusts a team. */
  async close(): Promise<void> {
    for (const name of TENANT_NAMES) {
      const { site, product } = this.#placeOf(name);
      if (site.findInstallation(product)?.app) (await site.uninstall(product)).expect(204);
    }
    for (const site of Object.values(this.#sites)) {
      this.#linking.world.parts.oauth.leave(site);
      await site.close();
    }
  }

  get appUrl(): string {
    return this.#linking.world.appUrl;
  }

  hostOf(site: SiteName | "nobody's"): string {
    return site === "nobody's" ? "nobody.atlassian.net" : this.#sites[site].host;
  }

  baseUrlOf(tenant: TenantName, host: SiteName = PLACES[tenant].site): string {
    return this.#sites[host].baseUrl(PLACES[tenant].product);
  }

  signOutUrlOf(teamDomain: string): string {
    const team = this.#linking.world.parts.teams.find(({ domain }) => domain === teamDomain);
    return `${team?.url ?? ""}/cdn-cgi/access/logout`;
  }

  /** Installs the app, as if the product lived at `host`. */
  async install(tenant: TenantName, host: SiteName): Promise<Reply> {
    const { site, product } = this.#placeOf(tenant);
    const before = site.findInstallation(product);
    const reply = await site.install(product, this.appUrl, {
      body: { baseUrl: this.baseUrlOf(tenant, host) },
    });
    if (before) this.#oldSecrets.set(tenant, before.sharedSecret);
    return reply;
  }

  /** The app asks the host in the background, after it has answered the install event. */
  async waitUntilProven(tenant: TenantName): Promise<void> {
    await vi.waitFor(
      async () => {
        if ((await this.#readTenant(tenant))["proven"] !== 1) throw new Error(`${tenant} is not proven.`);
      },
      { timeout: 5_000, interval: 2 },
    );
  }

  async findTenantId(tenant: TenantName): Promise<string> {
    return String((await this.#readTenant(tenant))["id"]);
  }

  async sendEvent(
    tenant: TenantName,
    event: Exclude<LifecycleEvent, "installed">,
    signedBy: TenantName,
  ): Promise<Reply> {
    const { site, product } = this.#placeOf(tenant);
    const secret = this.#secretOf({ tenant: signedBy, signature: "own" });
    const overrides = signedBy === tenant ? {} : { secret };
    if (event === "uninstalled") return site.uninstall(product, overrides);
    return event === "enabled" ? site.enable(product, overrides) : site.disable(product, overrides);
  }

  /** The browser API, with a context JWT. */
  async ask(caller: Caller, method: string, path: string, body?: unknown): Promise<Reply> {
    const authorization = `JWT ${await this.#signContextJwt(caller, "context-qsh")}`;
    return this.#send(method, path, { authorization }, body);
  }

  /** A page of the app, as the product opens it in a frame. */
  async open(caller: Caller, path: string): Promise<Reply> {
    const jwt = await this.#signContextJwt(
      caller,
      queryStringHash("GET", `${this.appUrl}${path}`, this.appUrl),
    );
    return this.#send("GET", `${path}?jwt=${jwt}`, { "sec-fetch-dest": "iframe" });
  }

  /** The same token again, or one more. */
  async sign(team: TeamName, person: PersonName, audience: string, isFresh: boolean): Promise<AccessToken> {
    const key = [team, person, audience].join(" ");
    const known = this.#tokens.get(key);
    if (known && !isFresh) return known;
    const signer = this.#linking.world.parts.teams[TEAM_NAMES.indexOf(team)];
    const text = (await signer?.signAccessJwt(PERSON[person], audience)) ?? "";
    const token = { team, person, audience, text };
    this.#tokens.set(key, token);
    return token;
  }

  async identify(
    { site, product, audience }: Question,
    { text }: AccessToken,
    key: string | null,
    method: "GET" | "HEAD",
  ): Promise<Reply> {
    const query = new URLSearchParams({ ...(product && { product }), ...(audience && { audience }) });
    const path = `/api/v1/sites/${this.hostOf(site)}/identity?${query.toString()}`;
    return this.#send(method, path, { authorization: `Bearer ${text}`, "x-service-key": key ?? undefined });
  }

  /** What a service asks of a product as the holder of a token. */
  async act(
    { site, product }: { readonly site: SiteName | "nobody's"; readonly product: Product },
    { text }: AccessToken,
    key: string | null,
    { method, path, body }: { readonly method: string; readonly path: string; readonly body?: unknown },
  ): Promise<Reply> {
    const url = `/api/v1/sites/${this.hostOf(site)}/${product}${path}`;
    const headers = { authorization: `Bearer ${text}`, "x-service-key": key ?? undefined };
    return this.#send(method, url, headers, body);
  }

  issuesOf(site: SiteName): readonly Issue[] {
    return this.#sites[site].content.issues;
  }

  async startPopup(attempt: string | null): Promise<Reply> {
    return this.#send("GET", `/link/start/${attempt ?? NOBODYS}`, { "sec-fetch-site": "same-origin" });
  }

  async showPopup(
    attempt: string | null,
    token: AccessToken,
    cookie: string | null,
    method: "GET" | "HEAD",
  ): Promise<Reply> {
    return this.#send(method, `/access/link/${attempt ?? NOBODYS}`, popupHeaders(token, cookie));
  }

  async clickInPopup(
    attempt: string | null,
    token: AccessToken,
    cookie: string | null,
    body: unknown,
  ): Promise<Reply> {
    const headers = { ...popupHeaders(token, cookie), origin: new URL(this.appUrl).origin };
    return this.#send("POST", `/access/link/${attempt ?? NOBODYS}`, headers, body);
  }

  async plantElsewhere(services: readonly ListedService[]): Promise<void> {
    await this.#bystander.plant(services);
  }

  async plantKeyElsewhere(serviceId: string, keyId: string): Promise<void> {
    await this.#bystander.plantKey(serviceId, keyId);
  }

  async lookElsewhere(): ReturnType<Bystander["look"]> {
    return this.#bystander.look();
  }

  /** As if an import had written the link, and not its people. */
  async unprove(linkId: string): Promise<void> {
    const sql = "UPDATE links SET method = 'admin', confirmed_at = NULL WHERE id = ?";
    await this.#linking.database.execute(sql, [linkId]);
  }

  /** What services do is stored a little later: waits for as much, whosesoever it is. */
  async waitUntilStored(tenantIds: readonly string[], expected: StoredUse): Promise<void> {
    if (tenantIds.length === 0) return;
    const enough = async () => {
      const [row] = await this.#linking.database.select(STORED_USE, [tenantIds, tenantIds]);
      const stored = { events: Number(row?.["events"]), calls: Number(row?.["calls"]) };
      return stored.events >= expected.events && stored.calls >= expected.calls;
    };
    const tries = MOST_WAIT_MILLISECONDS / WAIT_MILLISECONDS;
    for (let count = 0; count < tries && !(await enough()); count += 1) await setTimeout(WAIT_MILLISECONDS);
  }

  async read(path: string, method: "GET" | "HEAD"): Promise<Reply> {
    return this.#send(method, path);
  }

  async #send(method: string, path: string, headers: Headers = {}, body?: unknown): Promise<Reply> {
    return this.#linking.world.parts.client.send({
      caller: "Somebody",
      method,
      url: `${this.appUrl}${path}`,
      headers: { accept: "application/json", ...headers },
      body,
    });
  }

  async #signContextJwt(caller: Caller, qsh: string): Promise<string> {
    const { site, product } = this.#placeOf(caller.tenant);
    const claims = {
      iss: site.findInstallation(product)?.clientKey ?? NOBODYS,
      sub: PERSON[caller.person].accountId,
      qsh,
      iat: epochSeconds(),
      exp: epochSeconds() + 900,
      jti: randomUUID(),
    };
    return signJwt({}, claims, this.#secretOf(caller));
  }

  #secretOf({ tenant, signature }: Pick<Caller, "tenant" | "signature">): string {
    const current = (name: TenantName) => {
      const { site, product } = this.#placeOf(name);
      return site.findInstallation(product)?.sharedSecret;
    };
    const another = TENANT_NAMES.find((name) => name !== tenant && current(name) !== undefined);
    const secret = {
      own: current(tenant),
      old: this.#oldSecrets.get(tenant),
      "another tenant's": another && current(another),
    }[signature];
    return secret ?? randomBytes(48).toString("base64url");
  }

  #placeOf(tenant: TenantName) {
    const { site, product } = PLACES[tenant];
    return { site: this.#sites[site], product };
  }

  async #readTenant(tenant: TenantName) {
    const { site, product } = this.#placeOf(tenant);
    const [row] = await this.#linking.database.select("SELECT id, proven FROM tenants WHERE client_key = ?", [
      site.getInstallation(product).clientKey,
    ]);
    if (!row) throw new Error(`${tenant} is not stored.`);
    return row;
  }
}

function popupHeaders({ text }: AccessToken, cookie: string | null): Headers {
  return { "cf-access-jwt-assertion": text, cookie: cookie ?? undefined, "sec-fetch-site": "same-origin" };
}
