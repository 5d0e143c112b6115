import { randomBytes } from "node:crypto";

import { compactVerify, errors, type CryptoKey } from "jose";

import { CLOCK_TOLERANCE_SECONDS, epochSeconds, type Clock } from "../clock.js";
import { sha256Hex } from "../identifiers.js";
import type { EventToken } from "../tenants/tenant-lifecycle.js";
import type { Installation } from "../tenants/tenant-store.js";
import type { HostUser, Tenant } from "../tenants/tenant.js";
import { isHashOfRequest } from "./canonical-request.js";
import { ConnectJwtExpiredError, ConnectJwtInvalidError } from "./connect-jwt-errors.js";
import { parseConnectJwt, type ConnectClaims, type ConnectJwt } from "./connect-jwt.js";

export interface AtlassianRequest extends BoundRequest {
  /** Address of whoever sent it. */
  readonly caller: string;
}

export interface BoundRequest {
  readonly method: string;
  /** Path and query as they stand on the request line, the base URL's path included. */
  readonly target: string;
}

interface UrlBoundUser {
  readonly tenant: Tenant;
  /** Null when nobody is signed in. */
  readonly accountId: string | null;
}

interface Dependencies {
  readonly clock: Clock;
  /** The app's public URL without a trailing slash: audience of lifecycle tokens. */
  readonly baseUrl: string;
  /** The path of `baseUrl`, which is left out of what a token's `qsh` is made of. */
  readonly basePath: string;
  readonly findInstallation: (clientKey: string) => Promise<Installation | null>;
  readonly installKeys: { getKey(kid: string, caller: string): Promise<CryptoKey> };
}

const CONTEXT_QSH = "context-qsh";
const WRONG_QSH = "The query string hash doesn't match.";
const ACCOUNT_ID = /^[^\s\p{C}]{1,128}$/u;

/**
 * Verifies the JWTs that Jira and Confluence send, strictly, in one method per kind of request. Whatever is wrong is
 * `connect_jwt_invalid`; an otherwise perfect token past its `exp` is `connect_jwt_expired`. What a token says about
 * itself is checked before anything is looked up or fetched for it.
 */
export class ConnectVerifier {
  readonly #clock: Clock;
  readonly #baseUrl: string;
  readonly #basePath: string;
  readonly #findInstallation: Dependencies["findInstallation"];
  readonly #installKeys: Dependencies["installKeys"];
  /** Stands in for the secret of a client key that nobody has: refusing takes as long as for a wrong signature. */
  readonly #decoySecret = randomBytes(32);

  constructor({ clock, baseUrl, basePath, findInstallation, installKeys }: Dependencies) {
    this.#clock = clock;
    this.#baseUrl = baseUrl;
    this.#basePath = basePath;
    this.#findInstallation = findInstallation;
    this.#installKeys = installKeys;
  }

  /** A page's token from `AP.context.getToken()`: not bound to a URL, always somebody's. */
  async verifyContext(token: string): Promise<HostUser> {
    const jwt = parseConnectJwt(token, ["HS256"]);
    this.#requireStarted(jwt.claims);
    if (jwt.claims.qsh !== CONTEXT_QSH) throw new ConnectJwtInvalidError(WRONG_QSH);
    const accountId = findAccountId(jwt.claims);
    if (accountId === null) throw new ConnectJwtInvalidError("Nobody is signed in.");
    const { tenant } = await this.#requireTenantSignature(jwt);
    requireEnabled(tenant);
    this.#requireUnexpired(jwt.claims);
    return { tenant, accountId };
  }

  /**
   * The `?jwt=` with which the product opens a page of ours: good for this one URL. `onSigned` is told the tenant as soon
   * as the signature proves it, so that a refusal for another reason can be shown there.
   */
  async verifyUrlBound(
    token: string,
    request: BoundRequest,
    onSigned: (tenant: Tenant) => void = () => undefined,
  ): Promise<UrlBoundUser> {
    const jwt = parseConnectJwt(token, ["HS256"]);
    this.#requireStarted(jwt.claims);
    this.#requireBoundTo(request, jwt.claims);
    const accountId = findAccountId(jwt.claims);
    const { tenant } = await this.#requireTenantSignature(jwt);
    onSigned(tenant);
    requireEnabled(tenant);
    this.#requireUnexpired(jwt.claims);
    return { tenant, accountId };
  }

  /** `installed` and `uninstalled`: signed by Atlassian itself. Throws `keys_unavailable`, too. */
  async verifyInstallEvent(token: string, request: AtlassianRequest): Promise<EventToken> {
    return this.#verifyAtlassianEvent(parseConnectJwt(token, ["RS256"]), request);
  }

  /** `enabled` and `disabled`: signed by Atlassian itself or with the tenant's secret. Throws `keys_unavailable`, too. */
  async verifyToggleEvent(token: string, request: AtlassianRequest): Promise<EventToken> {
    const jwt = parseConnectJwt(token, ["RS256", "HS256"]);
    return jwt.algorithm === "RS256"
      ? this.#verifyAtlassianEvent(jwt, request)
      : this.#verifyTenantEvent(jwt, request);
  }

  async #verifyAtlassianEvent(jwt: ConnectJwt, request: AtlassianRequest): Promise<EventToken> {
    const { claims, kid } = jwt;
    this.#requireStarted(claims);
    this.#requireBoundTo(request, claims);
    // RFC 7519 §4.1.3: aud may be one string.
    if (![claims.aud].flat().includes(this.#baseUrl)) {
      throw new ConnectJwtInvalidError("The audience isn't this app's base URL.");
    }
    if (kid === null) throw new ConnectJwtInvalidError("There is no kid.");
    await requireSignature(jwt, await this.#installKeys.getKey(kid, request.caller));
    this.#requireUnexpired(claims);
    return toEventToken(jwt);
  }

  async #verifyTenantEvent(jwt: ConnectJwt, request: BoundRequest): Promise<EventToken> {
    this.#requireStarted(jwt.claims);
    this.#requireBoundTo(request, jwt.claims);
    await this.#requireTenantSignature(jwt);
    this.#requireUnexpired(jwt.claims);
    return toEventToken(jwt);
  }

  async #requireTenantSignature(jwt: ConnectJwt): Promise<Installation> {
    const installation = await this.#findInstallation(jwt.claims.iss);
    const isInstalled = installation?.tenant.state !== "uninstalled";
    const secret = isInstalled ? installation?.sharedSecret : null;
    await requireSignature(jwt, secret ? Buffer.from(secret, "utf8") : this.#decoySecret);
    // The decoy can't have signed anything, so this never happens.
    if (!installation) throw new ConnectJwtInvalidError("The client key is unknown.");
    return installation;
  }

  #requireBoundTo(request: BoundRequest, { qsh }: ConnectClaims): void {
    if (!isHashOfRequest(qsh, { ...request, basePath: this.#basePath })) {
      throw new ConnectJwtInvalidError(WRONG_QSH);
    }
  }

  #requireStarted({ iat, nbf }: ConnectClaims): void {
    const latest = epochSeconds(this.#clock) + CLOCK_TOLERANCE_SECONDS;
    if (iat > latest || (nbf ?? 0) > latest) throw new ConnectJwtInvalidError("The token isn't valid yet.");
  }

  /** Last of all, so that only a token that is otherwise perfect is told to be expired. */
  #requireUnexpired({ exp }: ConnectClaims): void {
    if (epochSeconds(this.#clock) >= exp + CLOCK_TOLERANCE_SECONDS) throw new ConnectJwtExpiredError();
  }
}

function requireEnabled({ state }: Tenant): void {
  if (state !== "enabled") throw new ConnectJwtInvalidError("The app isn't enabled on this site.");
}

/** Security rule 1: an account id is never empty. Absent means that nobody is signed in. */
function findAccountId({ sub }: ConnectClaims): string | null {
  if (sub !== undefined && !ACCOUNT_ID.test(sub))
    throw new ConnectJwtInvalidError("The sub isn't an account id.");
  return sub ?? null;
}

/** The algorithm was pinned by whoever parsed the token, and decides the kind of key: a secret never meets RS256. */
async function requireSignature(
  { token, algorithm }: ConnectJwt,
  key: CryptoKey | Uint8Array,
): Promise<void> {
  try {
    await compactVerify(token, key, { algorithms: [algorithm] });
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    throw new ConnectJwtInvalidError("The signature is wrong.");
  }
}

function toEventToken({ token, claims }: ConnectJwt): EventToken {
  return {
    clientKey: claims.iss,
    issuedAt: claims.iat,
    expiresAt: claims.exp,
    hash: sha256Hex(token),
  };
}
