import { randomBytes } from "node:crypto";
import { decodeJwt, jwtVerify, type JWTPayload } from "jose";

import { PRODUCTS, type Product } from "../src/tenants/tenant.js";
import type { AtlassianSite, Installation } from "./atlassian-site.js";
import { json, startServer, type Answer, type Behaviour, type Incoming, type Server } from "./http-server.js";
import { epochSeconds } from "./jwt.js";
import type { Person } from "./people.js";

/** Connect's scopes; each includes those before it. Acting as a person is apart. */
const SCOPES = ["READ", "WRITE", "DELETE"] as const;
export type Scope = (typeof SCOPES)[number];

interface IssuedToken {
  readonly site: AtlassianSite;
  readonly product: Product;
  readonly accountId: string;
  readonly scopes: readonly Scope[];
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

interface Applicant extends Omit<IssuedToken, "scopes" | "expiresAt" | "accountId"> {
  readonly installation: Installation;
}

const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const CLIENT = "urn:atlassian:connect:clientid:";
const ACCOUNT = "urn:atlassian:connect:useraccountid:";
const MAX_ASSERTION_SECONDS = 60;
const CLOCK_TOLERANCE_SECONDS = 5;

/** Atlassian's authorization server: makes out tokens with which an installed app acts as a person. */
export class AtlassianOauth {
  readonly server: Server;
  /** Every question is answered with a 429. */
  isLimiting = false;
  lifetimeSeconds = 900;
  /** What one site's apps are answered instead of what they should be. */
  readonly troubles = new Map<AtlassianSite, () => Answer | Promise<Answer>>();
  readonly #sites: AtlassianSite[] = [];
  readonly #tokens = new Map<string, IssuedToken>();

  private constructor(server: Server) {
    this.server = server;
    server.routes.push(["POST", /^\/oauth2\/token$/, (request) => this.#answer(request)]);
  }

  static async start(): Promise<AtlassianOauth> {
    return new AtlassianOauth(await startServer({ hostname: "127.0.0.1" }));
  }

  /** For ATLASSIAN_OAUTH_URL. */
  get url(): string {
    return this.server.url;
  }

  get behaviour(): Behaviour {
    return this.server.behaviour;
  }

  get requestCount(): number {
    return this.server.requests.length;
  }

  /** From now on it knows the site's installations, and the site its tokens. */
  serve(site: AtlassianSite): void {
    this.#sites.push(site);
    site.oauth = this;
  }

  leave(site: AtlassianSite): void {
    this.#sites.splice(0, this.#sites.length, ...this.#sites.filter((each) => each !== site));
  }

  /** Tokens that are out there are worth nothing any more. */
  revokeAll(): void {
    this.#tokens.clear();
  }

  /** Whom a request acts as, and what for; null when its token isn't good here, now. */
  findActor(
    site: AtlassianSite,
    product: Product,
    { headers }: Incoming,
  ): { person: Person; scopes: readonly Scope[] } | null {
    const token = this.#tokens.get(/^Bearer (\S+)$/.exec(headers.authorization ?? "")?.[1] ?? "");
    if (token?.site !== site || token.product !== product || token.expiresAt <= epochSeconds()) return null;
    const person = site.accounts.get(token.accountId);
    return person?.active && site.findInstallation(product)?.app ? { person, scopes: token.scopes } : null;
  }

  async close(): Promise<void> {
    await this.server.close();
  }

  async #answer({ headers, body }: Incoming): Promise<Answer> {
    if (this.isLimiting) return tooMany(30);
    if (!/^application\/x-www-form-urlencoded(?:;|$)/.test(headers["content-type"] ?? "")) {
      return refuse("invalid_request", "The body isn't a form.");
    }
    const form = new URLSearchParams(body);
    if (form.get("grant_type") !== GRANT_TYPE)
      return refuse("unsupported_grant_type", "Only jwt-bearer is known.");
    return this.#grant(form.get("assertion") ?? "", form.get("scope"));
  }

  async #grant(assertion: string, scope: string | null): Promise<Answer> {
    const applicant = this.#findApplicant(assertion);
    if (!applicant?.installation.app) return refuse("invalid_client", "There is no such client.", 401);
    const { site, product, installation } = applicant;
    const trouble = this.troubles.get(site);
    if (trouble) return trouble();
    const granted = installation.app?.scopes ?? [];
    if (!granted.includes("ACT_AS_USER")) {
      return refuse("unauthorized_client", "The client may not use this grant type.");
    }
    const claims = await this.#verify(assertion, applicant);
    if (typeof claims === "string") return refuse("invalid_grant", claims);

    const accountId = claims.sub?.startsWith(ACCOUNT) ? claims.sub.slice(ACCOUNT.length) : "";
    const person = site.accounts.get(accountId);
    if (!person?.active || person.accountType !== "atlassian") {
      return refuse("invalid_grant", "The user isn't active on this site.");
    }
    const possible = withIncluded(granted);
    const asked = scope === null ? possible : scope.split(" ");
    if (!asked.every((each) => possible.some((one) => one === each))) {
      return refuse("invalid_scope", "The client doesn't have this scope.");
    }
    const token = randomBytes(32).toString("base64url");
    this.#tokens.set(token, {
      ...{ site, product, accountId },
      scopes: withIncluded(asked),
      expiresAt: epochSeconds() + this.lifetimeSeconds,
    });
    return json(200, { access_token: token, expires_in: this.lifetimeSeconds, token_type: "Bearer" });
  }

  #findApplicant(assertion: string): Applicant | null {
    const iss = readIssuer(assertion);
    for (const site of this.#sites) {
      for (const product of PRODUCTS) {
        const installation = site.findInstallation(product);
        if (installation && iss === `${CLIENT}${installation.oauthClientId}`)
          return { site, product, installation };
      }
    }
    return null;
  }

  /** The claims, or what is wrong with the assertion. */
  async #verify(assertion: string, { site, product, installation }: Applicant): Promise<JWTPayload | string> {
    try {
      const { payload } = await jwtVerify(assertion, Buffer.from(installation.sharedSecret), {
        algorithms: ["HS256"],
        audience: this.url,
        requiredClaims: ["iss", "sub", "tnt", "aud", "iat", "exp"],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        maxTokenAge: MAX_ASSERTION_SECONDS,
      });
      const { iat = 0, exp = 0 } = payload;
      if (exp - iat > MAX_ASSERTION_SECONDS) return "The assertion lives too long.";
      return payload["tnt"] === site.baseUrl(product) ? payload : "The assertion is for another tenant.";
    } catch (error) {
      return error instanceof Error ? error.message : "The assertion can't be verified.";
    }
  }
}

function withIncluded(scopes: readonly string[]): Scope[] {
  const highest = Math.max(...SCOPES.map((scope, index) => (scopes.includes(scope) ? index : -1)));
  return SCOPES.slice(0, highest + 1);
}

function readIssuer(assertion: string): string | undefined {
  try {
    return decodeJwt(assertion).iss;
  } catch {
    return undefined;
  }
}

/** Atlassian's own limit: it wants to be left alone for a while. */
export function tooMany(retryAfterSeconds: number): Answer {
  const limited = json(429, { error: "rate_limited" });
  return { ...limited, headers: { ...limited.headers, "retry-after": String(retryAfterSeconds) } };
}

/** RFC 6749 §5.2. */
function refuse(error: string, description: string, status = 400): Answer {
  return json(status, { error, error_description: description });
}
