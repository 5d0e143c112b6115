import { randomBytes } from "node:crypto";

import { PRODUCTS, type Product } from "../src/tenants/tenant.js";
import { tooMany } from "./atlassian-oauth.js";
import { FORGE_APP_ID } from "./forge-fit.js";
import { createProductRoutes } from "./forge-product-routes.js";
import { findNeededScope, type ForgeScopes } from "./forge-scopes.js";
import { json, startServer, type Answer, type Behaviour, type Incoming, type Server } from "./http-server.js";
import { epochSeconds } from "./jwt.js";
import { createPerson, type Person } from "./people.js";
import { dress, unauthorized, type SiteData } from "./user-api.js";

/** An app on a site. */
export interface ForgeInstallation {
  readonly cloudId: string;
  readonly site: SiteData;
  readonly scopes: ForgeScopes;
  /** ARI. */
  readonly appId?: string;
  readonly products?: readonly Product[];
}

interface IssuedToken {
  readonly installation: Required<ForgeInstallation>;
  /** The app's own token has an account, too: the bot that the site shows where the app has done something. */
  readonly person: Person;
  readonly isSystem: boolean;
  readonly scopes: readonly string[];
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

interface TokenOptions {
  readonly appId?: string;
  readonly expiresInSeconds?: number;
}

const BOT = createPerson("Access for Atlassian Cloud", { accountType: "app" });
const FOUR_HOURS = 4 * 60 * 60;
/** Invocation limits: for one app, on all sites together. */
const MAX_IMPERSONATIONS_PER_MINUTE = 1000;

/** `api.atlassian.com` as Forge apps get to see it: the products of sites by cloud id, and tokens to act as people. */
export class ForgeApi {
  readonly server: Server;
  /** Every question for a person's token is answered with a 429. */
  isLimiting = false;
  lifetimeSeconds = 900;
  /** What questions for a person's token on a site are answered instead of what they should be, by cloud id. */
  readonly troubles = new Map<string, () => Answer | Promise<Answer>>();
  readonly #installations: Required<ForgeInstallation>[] = [];
  readonly #tokens = new Map<string, IssuedToken>();
  /** When each app asked for a person's token, in milliseconds since the epoch. */
  readonly #impersonations = new Map<string, number[]>();

  private constructor(server: Server) {
    this.server = server;
    server.routes.push(["POST", /^\/graphql$/, (request) => this.#answerGraphql(request)]);
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
      server.routes.push([
        method,
        /^\/ex\/(jira|confluence)\/([^/]+)(\/.*)$/,
        (request, [, product, cloudId = "", path = ""]) =>
          dress(this.#answerProduct(request, product as Product, cloudId, path)),
      ]);
    }
  }

  static async start(): Promise<ForgeApi> {
    return new ForgeApi(await startServer({ hostname: "127.0.0.1" }));
  }

  /** For ATLASSIAN_API_URL. */
  get url(): string {
    return this.server.url;
  }

  get behaviour(): Behaviour {
    return this.server.behaviour;
  }

  install(installation: ForgeInstallation): void {
    const { appId = FORGE_APP_ID, products = PRODUCTS } = installation;
    this.uninstall(installation.cloudId, appId);
    this.#installations.push({ ...installation, appId, products });
  }

  /** Its tokens are worth nothing any more. */
  uninstall(cloudId: string, appId = FORGE_APP_ID): void {
    const isMeant = (each: ForgeInstallation) => each.cloudId === cloudId && each.appId === appId;
    this.#installations.splice(
      0,
      this.#installations.length,
      ...this.#installations.filter((each) => !isMeant(each)),
    );
    for (const [token, { installation }] of this.#tokens) {
      if (isMeant(installation)) this.#tokens.delete(token);
    }
  }

  /** Those that are out there are worth nothing any more. */
  revokeTokensOfPeople(): void {
    for (const [token, { isSystem }] of this.#tokens) if (!isSystem) this.#tokens.delete(token);
  }

  /** What `x-forge-oauth-system` brings. */
  systemToken(cloudId: string, options: TokenOptions = {}): string {
    const installation = this.#getInstallation(cloudId, options.appId);
    const scopes = Object.keys(installation.scopes);
    return this.#issue({ installation, person: BOT, isSystem: true, scopes }, options);
  }

  /** What `x-forge-oauth-user` brings when this person looks at one of the app's pages. */
  userToken(cloudId: string, person: Person, options: TokenOptions = {}): string {
    const installation = this.#getInstallation(cloudId, options.appId);
    const scopes = Object.keys(installation.scopes);
    return this.#issue({ installation, person, isSystem: false, scopes }, options);
  }

  async close(): Promise<void> {
    await this.server.close();
  }

  #getInstallation(cloudId: string, appId = FORGE_APP_ID): Required<ForgeInstallation> {
    const found = this.#installations.find((each) => each.cloudId === cloudId && each.appId === appId);
    if (!found) throw new Error("The app isn't installed there.");
    return found;
  }

  /** Random, but for the `exp` that apps may read. */
  #issue(issued: Omit<IssuedToken, "expiresAt">, { expiresInSeconds = FOUR_HOURS }: TokenOptions): string {
    const expiresAt = epochSeconds() + expiresInSeconds;
    const parts = [JSON.stringify({ alg: "RS256" }), JSON.stringify({ exp: expiresAt }), randomBytes(32)];
    const token = parts.map((part) => Buffer.from(part).toString("base64url")).join(".");
    this.#tokens.set(token, { ...issued, expiresAt });
    return token;
  }

  #findToken({ headers }: Incoming): IssuedToken | null {
    const token = this.#tokens.get(/^Bearer (\S+)$/.exec(headers.authorization ?? "")?.[1] ?? "");
    return token && token.expiresAt > epochSeconds() ? token : null;
  }

  #answerProduct(request: Incoming, product: Product, cloudId: string, path: string): Answer {
    const token = this.#findToken(request);
    if (token?.installation.cloudId !== cloudId || !token.installation.products.includes(product)) {
      return unauthorized();
    }
    const { site } = token.installation;
    const person = token.isSystem ? token.person : site.accounts.get(token.person.accountId);
    if (!person?.active) return unauthorized();
    for (const [of, method, pattern, handler] of createProductRoutes(site)) {
      const match = of === product && method === request.method ? pattern.exec(path) : null;
      if (!match) continue;
      const scope = findNeededScope(product, method, path);
      if (scope === null || !token.scopes.includes(scope)) return lacksScope();
      return handler(person, request, match);
    }
    return json(404, { message: "There is nothing here." });
  }

  #answerGraphql(request: Incoming): Answer | Promise<Answer> {
    const token = this.#findToken(request);
    if (!token?.isSystem) return unauthorized();
    const { installation } = token;
    if (this.isLimiting || this.#isBeyondLimit(installation.appId)) return tooMany(30);
    const input = readImpersonation(request);
    if (!input) return json(400, { errors: [{ message: "Invalid request." }] });
    const trouble = this.troubles.get(installation.cloudId);
    if (trouble) return trouble();
    const isContext = (contextId: string) =>
      installation.products.some((product) => contextId === contextIdOf(product, installation.cloudId));
    if (input.contextIds.length !== 1 || !input.contextIds.every(isContext)) {
      return answerImpersonation("The app isn't installed in this context.");
    }
    const person = installation.site.accounts.get(input.userId);
    if (!person?.active || person.accountType === "app") {
      return answerImpersonation("The user can't be impersonated.");
    }
    const scopes = Object.entries(installation.scopes).flatMap(([scope, { allowImpersonation }]) =>
      allowImpersonation ? [scope] : [],
    );
    if (scopes.length === 0) return answerImpersonation("No scope allows impersonation.");
    const options = { expiresInSeconds: this.lifetimeSeconds };
    return answerImpersonation({
      token: this.#issue({ installation, person, isSystem: false, scopes }, options),
      ttl: this.lifetimeSeconds,
    });
  }

  #isBeyondLimit(appId: string): boolean {
    const now = Date.now();
    const lately = (this.#impersonations.get(appId) ?? []).filter((time) => time > now - 60_000);
    this.#impersonations.set(appId, [...lately, now]);
    return lately.length >= MAX_IMPERSONATIONS_PER_MINUTE;
  }
}

/** A 401 here, though the token is good; to Connect's apps it is a 403. */
function lacksScope(): Answer {
  const refusal = json(401, { code: 401, message: "Unauthorized; scope does not match" });
  return { ...refusal, headers: { ...refusal.headers, "x-failure-category": "FAILURE_CLIENT_SCOPE_CHECK" } };
}

export function contextIdOf(product: Product, cloudId: string): string {
  return `ari:cloud:${product}::site/${cloudId}`;
}

interface Impersonation {
  readonly contextIds: readonly string[];
  readonly userId: string;
}

/** Whose names stand in the query itself, and not in its variables, isn't understood. */
function readImpersonation({ headers, body }: Incoming): Impersonation | null {
  if (headers["content-type"] !== "application/json") return null;
  try {
    const { query, variables } = JSON.parse(body) as {
      query: string;
      variables: { input: Impersonation };
    };
    const { contextIds, userId } = variables.input;
    const isTyped =
      Array.isArray(contextIds) &&
      contextIds.every((each) => typeof each === "string") &&
      typeof userId === "string";
    return isTyped && /\bofflineUserAuthToken\(input: \$input\)/.test(query) ? { contextIds, userId } : null;
  } catch {
    return null;
  }
}

function answerImpersonation(outcome: string | { readonly token: string; readonly ttl: number }): Answer {
  const offlineUserAuthToken =
    typeof outcome === "string"
      ? { success: false, errors: [{ message: outcome }], authToken: null }
      : { success: true, errors: [], authToken: outcome };
  return json(200, { data: { offlineUserAuthToken } });
}
