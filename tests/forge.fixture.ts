import { randomUUID } from "node:crypto";

import { ForgeApi } from "../sandbox/forge-api.js";
import {
  createForgeSender,
  createInstallationId,
  FORGE_APP_ID,
  pageClaims,
  triggerClaims,
  type ForgeSender,
} from "../sandbox/forge-fit.js";
import { ForgeKeys } from "../sandbox/forge-keys.js";
import type { Reply } from "../sandbox/http-client.js";
import { epochSeconds, type Claims } from "../sandbox/jwt.js";
import type { Person } from "../sandbox/people.js";
import type { WorldOptions } from "../sandbox/world-parts.js";
import { buildSiteData, SCOPES } from "../src/forge/forge-world.fixture.js";
import type { Product } from "../src/tenants/tenant.js";
import type { Row } from "./linking-database.fixture.js";
import { TenantsWorld } from "./lifecycle.fixture.js";

export const SECOND_APP_ID = "ari:cloud:ecosystem::app/6a1d8b63-3c1f-4d20-8e1b-7e4d30c8fa01";

const TRIGGER_KEYS = { installed: "on-installed", hourly: "on-hour", uninstalled: "on-uninstall" } as const;
export type ForgeTrigger = keyof typeof TRIGGER_KEYS;

interface PageOptions {
  readonly method?: string;
  readonly path?: string;
  readonly product?: Product;
  readonly body?: unknown;
  /** When the token was made, in seconds from now. */
  readonly madeIn?: number;
  readonly appId?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface TriggerOptions {
  readonly madeIn?: number;
  readonly appId?: string;
  readonly jti?: string;
  /** What it brings as the app's own token; null when it brings none. */
  readonly systemToken?: string | null;
  readonly body?: unknown;
}

/** One app with both doors open, and sites that reach it through the second. */
export class ForgeWorld {
  readonly tenants: TenantsWorld;
  readonly keys: ForgeKeys;
  readonly api: ForgeApi;

  private constructor(tenants: TenantsWorld, keys: ForgeKeys, api: ForgeApi) {
    this.tenants = tenants;
    this.keys = keys;
    this.api = api;
  }

  static async start(options: WorldOptions = {}): Promise<ForgeWorld> {
    const [keys, api] = await Promise.all([ForgeKeys.start(), ForgeApi.start()]);
    const env = {
      FORGE_APP_ID: `${FORGE_APP_ID},${SECOND_APP_ID}`,
      FORGE_KEYS_URL: keys.url,
      ATLASSIAN_API_URL: api.url,
      ...options.env,
    };
    return new ForgeWorld(await TenantsWorld.start({ ...options, env }), keys, api);
  }

  async close(): Promise<void> {
    await this.tenants.close();
    await Promise.all([this.keys.close(), this.api.close()]);
  }

  /** A site of its own where the app was installed, and nothing has been told of it yet. */
  site(overrides: Partial<ForgeSender> = {}): ForgeSender {
    const siteUrl = `https://${randomUUID().slice(0, 8)}.atlassian.net`;
    const sender = createForgeSender({ siteUrl, apiUrl: this.api.url, ...overrides });
    this.api.install({
      cloudId: sender.cloudId,
      site: buildSiteData(),
      scopes: SCOPES,
      products: sender.products,
    });
    return sender;
  }

  /** As it is after it was uninstalled and installed again. */
  reinstalled(sender: ForgeSender): ForgeSender {
    return { ...sender, installationId: createInstallationId() };
  }

  /** Asks as one of the app's pages; `GET /api/v1/me` unless something else is asked. */
  async page(sender: ForgeSender, person: Person, options: PageOptions = {}): Promise<Reply> {
    const { method = "GET", path = "/api/v1/me", product = sender.products[0] ?? "jira", body } = options;
    const claims = pageClaims(sender, person.accountId, {
      product,
      now: epochSeconds() + (options.madeIn ?? 0),
    });
    return this.tenants.send({
      caller: "A page",
      method,
      url: `${this.tenants.world.appUrl}${path}`,
      headers: { authorization: await this.#authorize(claims, options.appId), ...options.headers },
      ...(body !== undefined && { body }),
    });
  }

  /** What the page sends when the manifest asks for it: a token of the person's. */
  userToken({ cloudId }: ForgeSender, person: Person): Readonly<Record<string, string>> {
    return { "x-forge-oauth-user": this.api.userToken(cloudId, person) };
  }

  async trigger(sender: ForgeSender, trigger: ForgeTrigger, options: TriggerOptions = {}): Promise<Reply> {
    const { madeIn = 0, jti, appId, systemToken = this.api.systemToken(sender.cloudId), body = {} } = options;
    const claims = triggerClaims(sender, TRIGGER_KEYS[trigger], { now: epochSeconds() + madeIn });
    return this.tenants.send({
      caller: "A trigger",
      method: "POST",
      url: `${this.tenants.world.appUrl}/forge/${trigger}`,
      headers: {
        authorization: await this.#authorize({ ...claims, ...(jti !== undefined && { jti }) }, appId),
        ...(systemToken !== null && { "x-forge-oauth-system": systemToken }),
      },
      body,
    });
  }

  async findTenant({ cloudId }: ForgeSender, product: Product = "jira"): Promise<Row | undefined> {
    const [tenant] = await this.tenants.database.select(
      `SELECT tenants.* FROM tenants JOIN forge_installations ON tenants.id = tenant_id
       WHERE cloud_id = ? AND forge_installations.product = ?`,
      [cloudId, product],
    );
    return tenant;
  }

  async findInstallation({ cloudId }: ForgeSender, product: Product = "jira"): Promise<Row | undefined> {
    const sql = "SELECT * FROM forge_installations WHERE cloud_id = ? AND product = ?";
    const [installation] = await this.tenants.database.select(sql, [cloudId, product]);
    return installation;
  }

  /** What the audit log tells of a tenant, oldest first. */
  async auditOf(sender: ForgeSender): Promise<unknown[]> {
    const sql = "SELECT action FROM audit_events WHERE tenant_id = ? ORDER BY sequence";
    const events = await this.tenants.database.select(sql, [(await this.findTenant(sender))?.["id"]]);
    return events.map(({ action }) => action);
  }

  async #authorize(claims: Claims, appId: string = FORGE_APP_ID): Promise<string> {
    const app = { ...(claims["app"] as Claims), id: appId };
    return `Bearer ${await this.keys.sign({ ...claims, aud: appId, app })}`;
  }
}
