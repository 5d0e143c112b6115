import { compactVerify, errors, type CryptoKey } from "jose";

import type { Clock } from "../clock.js";
import { findRefusedHeader } from "../compact-jws.js";
import { AppError } from "../errors.js";
import { sha256Hex } from "../identifiers.js";
import type { VerifiedAccessJwt, AccessJwtVerification } from "../links/verified-access-jwt.js";
import { KEY_ALGORITHM, MAX_KID_LENGTH, type RemoteKey } from "../remote-keys/remote-key-set.js";
import { findTeamDomain } from "../team-domain.js";
import { findHolder } from "./access-holder.js";
import { parseAccessJwt, requireTokenString, type AccessClaims, type AccessJwt } from "./access-jwt.js";
import { createDecoyKey } from "./decoy-key.js";
import type { TeamKeyCache } from "./team-key-cache.js";
import { VerifiedTokenCache } from "./verified-token-cache.js";

interface AccessJwtVerifierOptions {
  readonly clock: Clock;
  readonly keys: TeamKeyCache;
  /** Whether any tenant names this team. Asked for every token, also for one that was seen before. */
  readonly isTrustedTeam: (teamDomain: string) => Promise<boolean>;
}

/** Which refusals are told apart, and in which order, is security rule 2. */
export class AccessJwtVerifier implements AccessJwtVerification {
  readonly #keys: TeamKeyCache;
  readonly #isTrustedTeam: (teamDomain: string) => Promise<boolean>;
  readonly #verified: VerifiedTokenCache;
  #decoyKey: Promise<CryptoKey> | null = null;

  constructor({ clock, keys, isTrustedTeam }: AccessJwtVerifierOptions) {
    this.#keys = keys;
    this.#isTrustedTeam = isTrustedTeam;
    this.#verified = new VerifiedTokenCache(clock);
  }

  async verify(token: string): Promise<VerifiedAccessJwt> {
    const hash = sha256Hex(requireTokenString(token));
    const verified = this.#verified.find(hash);
    if (!verified) return this.#verifyNew(token, hash);
    const { accessToken, key } = verified;
    const currentKey = await this.#requireKey(token, accessToken.teamDomain, key.kid);
    return currentKey.modulus === key.modulus ? accessToken : this.#verifyNew(token, hash);
  }

  remembers(token: string): boolean {
    return this.#verified.find(sha256Hex(token)) !== null;
  }

  async #verifyNew(token: string, hash: string): Promise<VerifiedAccessJwt> {
    const jwt = parseAccessJwt(token);
    const kid = requireKid(jwt);
    const { claims } = jwt;
    const teamDomain = findTeamDomain(claims.iss);
    if (teamDomain === null) return this.#refuse(token, "The iss is not a team.");
    const key = await this.#requireKey(token, teamDomain, kid);
    if (!(await isSignedBy(key.publicKey, token))) {
      await this.#keys.waitBeforeRefusal(teamDomain);
      throw untrusted("The signature is wrong.");
    }
    // "org" is the team-wide session, which was made for no application.
    if (claims.type !== "app") throw untrusted("The type is not app.");
    const accessToken = toAccessToken(claims, teamDomain, hash);
    this.#verified.remember({ accessToken, key });
    return accessToken;
  }

  async #requireKey(token: string, teamDomain: string, kid: string): Promise<RemoteKey> {
    if (!(await this.#isTrustedTeam(teamDomain))) {
      await this.#keys.waitBeforeRefusal(teamDomain);
      return this.#refuse(token, "No tenant names the team.");
    }
    return (
      (await this.#keys.findKey(teamDomain, kid)) ?? this.#refuse(token, "The team has no key of this kid.")
    );
  }

  /** Refuses after as much work as a wrong signature takes, so that time doesn't tell which teams are known. */
  async #refuse(token: string, reason: string): Promise<never> {
    this.#decoyKey ??= createDecoyKey();
    await isSignedBy(await this.#decoyKey, token);
    throw untrusted(reason);
  }
}

function requireKid(jwt: AccessJwt): string {
  const { alg, kid } = jwt.header;
  if (alg !== KEY_ALGORITHM) throw untrusted("The alg is not RS256.");
  const refused = findRefusedHeader(jwt);
  if (refused !== null) throw untrusted(`The header has ${refused}.`);
  if (typeof kid !== "string" || kid === "" || kid.length > MAX_KID_LENGTH) {
    throw untrusted("The kid names no key.");
  }
  return kid;
}

async function isSignedBy(publicKey: CryptoKey, token: string): Promise<boolean> {
  try {
    await compactVerify(token, publicKey, { algorithms: [KEY_ALGORITHM] });
    return true;
  } catch (error) {
    if (error instanceof errors.JOSEError) return false;
    throw error;
  }
}

function toAccessToken(claims: AccessClaims, teamDomain: string, hash: string): VerifiedAccessJwt {
  return {
    issuer: claims.iss,
    teamDomain,
    audiences: claims.aud,
    issuedAt: claims.iat,
    notBefore: claims.nbf ?? null,
    expiresAt: claims.exp,
    holder: findHolder(claims),
    hash,
  };
}

/** The caller gets one answer for all; the reason tells the log which it was. */
function untrusted(reason: string): AppError {
  return new AppError("access_jwt_untrusted", undefined, { reason });
}
