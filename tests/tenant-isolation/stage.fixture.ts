import { randomBytes, randomUUID } from "node:crypto";
import { vi } from "vitest";

import { AtlassianSite, type LifecycleEvent } from "../../sandbox/atlassian-site.js";
import type { Reply } from "../../sandbox/http-client.js";
import { epochSeconds, queryStringHash, signJwt } from "../../sandbox/jwt.js";
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
import type { AccessToken, Caller, Question } from "./model.fixture.js";
import type { LinkingWorld } from "../linking-scene.fixture.js";

type Headers = Readonly<Record<string, string | undefined>>;

/** Nobody has this secret, client key or attempt. */
const NOBODYS = "nobody-has-ever-made-this";

/** Two new sites on the running app, and all that can be sent to it. */
export class Stage {
  readonly #linking: Omit<LinkingWorld, "close">;
  readonly #sites: Readonly<Record<SiteName, AtlassianSite>>;
  readonly #oldSecrets = new Map<TenantName, string>();
  readonly #tokens = new Map<string, AccessToken>();

  private constructor(
    linking: Omit<LinkingWorld, "close">,
    sites: Readonly<Record<SiteName, AtlassianSite>>,
  ) {
    this.#linking = linking;
    this.#sites = sites;
  }

  static async start(linking: Omit<LinkingWorld, "close">): Promise<Stage> {
    const { installKeys, client } = linking.world.parts;
    const startSite = (name: SiteName) =>
      AtlassianSite.start({ keys: installKeys, client, people: PEOPLE_OF[name] });
    return new Stage(linking, { acme: await startSite("acme"), globex: await startSite("globex") });
  }

  /** Leaves nothing behind that another run would notice: no tenant that trusts a team. */
  async close(): Promise<void> {
    for (const name of TENANT_NAMES) {
      const { site, product } = this.#placeOf(name);
      if (site.findInstallation(product)?.app) (await site.uninstall(product)).expect(204);
    }
    for (const site of Object.values(this.#sites)) await site.close();
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
    method: "GET" | "HEAD",
  ): Promise<Reply> {
    const query = new URLSearchParams({ ...(product && { product }), ...(audience && { audience }) });
    const path = `/api/v1/sites/${this.hostOf(site)}/identity?${query.toString()}`;
    return this.#send(method, path, { authorization: `Bearer ${text}` });
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
