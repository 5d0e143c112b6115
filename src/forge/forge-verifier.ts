import { compactVerify, errors } from "jose";

import { CLOCK_TOLERANCE_SECONDS, epochSeconds, type Clock } from "../clock.js";
import { sha256Hex } from "../identifiers.js";
import { KEY_ALGORITHM, type RemoteKey } from "../remote-keys/remote-key-set.js";
import type { Product } from "../tenants/tenant.js";
import { ForgeJwtExpiredError, ForgeJwtInvalidError } from "./forge-jwt-errors.js";
import { parseForgeJwt, type ForgeClaims, type ForgeJwt } from "./forge-jwt.js";
import { readForgePlaces, type ForgePlace } from "./forge-place.js";

/** What a verified Forge Invocation Token says of the installation that it is about. */
export interface ForgeCall {
  readonly appId: string;
  /** Another one after each reinstall. */
  readonly installationId: string;
  readonly environmentId: string;
  /** Epoch seconds, like the next. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Of its jti: what the token is remembered by. */
  readonly hash: string;
  /** Where the app is installed: in one or both products of one site. */
  readonly places: readonly ForgePlace[];
}

/** A call of one of the app's pages. */
export interface ForgeUserCall extends ForgeCall {
  readonly accountId: string;
  readonly product: Product;
  /** The page's product, among the places. */
  readonly place: ForgePlace;
  readonly siteUrl: string | null;
}

interface Dependencies {
  readonly clock: Clock;
  /** ARIs. */
  readonly appIds: readonly string[];
  /** All environments of an app have the same audience, and anybody who develops it can deploy one to a customer's site. */
  readonly environment: string;
  /** Without a trailing slash. */
  readonly apiUrl: string;
  readonly keys: { getKey(kid: string, icLabel: string | undefined): Promise<RemoteKey> };
}

const ACCOUNT_ID = /^[^\s\p{C}]{1,128}$/u;
const MAX_LIFETIME_SECONDS = 300;

/**
 * The one place where Forge Invocation Tokens are read. They are bound neither to a route nor to the body or the OAuth
 * tokens beside them, so whoever gets hold of one can send it anywhere: the two methods keep pages and triggers apart.
 * Whatever is wrong is `forge_jwt_invalid`; an otherwise perfect token past its `exp` is `forge_jwt_expired`.
 */
export class ForgeVerifier {
  readonly #dependencies: Dependencies;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /** A page's token: always somebody's. Throws `keys_unavailable`, too. */
  async verifyUser(token: string): Promise<ForgeUserCall> {
    const jwt = parseForgeJwt(token);
    this.#requireOurs(jwt.claims);
    const { claims } = jwt;
    const accountId = requireAccountId(claims);
    const product = requireProduct(claims);
    const call = this.#readCall(claims);
    const place = call.places.find((each) => each.product === product);
    if (!place) throw new ForgeJwtInvalidError("The app isn't installed in the product of this page.");
    await this.#requireSignature(jwt);
    this.#requireUnexpired(claims);
    return { ...call, accountId, product, place, siteUrl: claims.context?.siteUrl ?? null };
  }

  /** The token of a trigger: nobody's. `moduleKeys` are the trigger's and its endpoint's. Throws `keys_unavailable`, too. */
  async verifyTrigger(token: string, moduleKeys: readonly string[]): Promise<ForgeCall> {
    const jwt = parseForgeJwt(token);
    this.#requireOurs(jwt.claims);
    const { claims } = jwt;
    if (claims.principal !== undefined) throw new ForgeJwtInvalidError("The token is a page's.");
    if (!listModuleKeys(claims).every((key) => moduleKeys.includes(key)))
      throw new ForgeJwtInvalidError("The token is another trigger's.");
    const call = this.#readCall(claims);
    await this.#requireSignature(jwt);
    this.#requireUnexpired(claims);
    return call;
  }

  #requireOurs({ aud, app, iat, nbf, exp }: ForgeClaims): void {
    const { appIds, environment, clock } = this.#dependencies;
    if (aud !== app.id || !appIds.includes(aud))
      throw new ForgeJwtInvalidError("The audience isn't this app.");
    if (app.environment.type !== environment)
      throw new ForgeJwtInvalidError("The token is of another environment of the app.");
    if (exp - iat > MAX_LIFETIME_SECONDS)
      throw new ForgeJwtInvalidError("The token is valid for longer than Forge makes them.");
    const latest = epochSeconds(clock) + CLOCK_TOLERANCE_SECONDS;
    if (iat > latest || (nbf ?? 0) > latest) throw new ForgeJwtInvalidError("The token isn't valid yet.");
  }

  #readCall({ app, context, iat, exp, jti }: ForgeClaims): ForgeCall {
    if (app.installationId !== app.installation.id)
      throw new ForgeJwtInvalidError("The token names two installations.");
    return {
      appId: app.id,
      installationId: app.installationId,
      environmentId: app.environment.id,
      issuedAt: iat,
      expiresAt: exp,
      hash: sha256Hex(`forge ${jti}`),
      places: readForgePlaces(
        { contexts: app.installation.contexts, apiBaseUrl: app.apiBaseUrl, cloudId: context?.cloudId },
        this.#dependencies.apiUrl,
      ),
    };
  }

  async #requireSignature({ token, kid, claims }: ForgeJwt): Promise<void> {
    const { publicKey } = await this.#dependencies.keys.getKey(kid, claims.icLabel);
    try {
      await compactVerify(token, publicKey, { algorithms: [KEY_ALGORITHM] });
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      throw new ForgeJwtInvalidError("The signature is wrong.");
    }
  }

  /** Last of all, so that only a token that is otherwise perfect is told to be expired. */
  #requireUnexpired({ exp }: ForgeClaims): void {
    if (epochSeconds(this.#dependencies.clock) >= exp + CLOCK_TOLERANCE_SECONDS)
      throw new ForgeJwtExpiredError();
  }
}

/** Security rule 1: no account, no call. */
function requireAccountId({ principal }: ForgeClaims): string {
  if (principal === undefined) throw new ForgeJwtInvalidError("Nobody is signed in.");
  if (!ACCOUNT_ID.test(principal)) throw new ForgeJwtInvalidError("The principal isn't an account id.");
  return principal;
}

/** One installation may be in two products: which of them the page is in, its signed key tells, as the manifest names them. */
function requireProduct(claims: ForgeClaims): Product {
  const products = new Set(
    listModuleKeys(claims).flatMap(
      (key) => /^(?<product>jira|confluence)-/.exec(key)?.groups?.["product"] ?? [],
    ),
  );
  const [product] = products;
  if (products.size !== 1 || (product !== "jira" && product !== "confluence"))
    throw new ForgeJwtInvalidError("The token isn't one of the app's pages'.");
  return product;
}

/** The module's, or that of the endpoint which the module calls: documentation and practice differ. */
function listModuleKeys({ app, context }: ForgeClaims): readonly string[] {
  return [app.module.key, ...(context?.moduleKey === undefined ? [] : [context.moduleKey])];
}
