import { FetchFailedError, fetchBounded } from "../bounded-fetch.js";
import type { Clock } from "../clock.js";
import { AppError } from "../errors.js";
import { createExpiringCache } from "../expiring-cache.js";
import type { LiveCheck } from "../gateway/live-check.js";
import type { VerifiedAccessJwt } from "../links/verified-access-jwt.js";
import { parseJson } from "../parse-json.js";
import { SingleFlight } from "../single-flight.js";
import { originOfTeam } from "../team-domain.js";

interface Options {
  readonly clock: Clock;
  /** Team domain → origin that stands in for it. */
  readonly originOverrides: ReadonlyMap<string, string>;
  readonly maxTokens?: number;
}

interface Word {
  readonly isLive: boolean;
  /** In milliseconds since the epoch; from before the question, for the answer may have been long on its way. */
  readonly askedAt: number;
}

const IDENTITY_PATH = "/cdn-cgi/access/get-identity";
const MAX_TOKENS = 10_000;
/** The longest that an admin may let a yes count. */
const YES_SECONDS = 3600;
/** An ended session doesn't come back; but whoever keeps calling mustn't make the app ask each time. */
const NO_SECONDS = 10;
const LIMITS = {
  timeoutSeconds: 5,
  maxBytes: 256 * 1024,
  // Where nobody is signed in, Access sends people to its login page.
  wantsRedirects: true,
};

/** Asks the team itself whether a session lasts: a token stays well signed after its person was signed out or removed. */
export class AccessLiveCheck implements LiveCheck {
  readonly #clock: Clock;
  readonly #originOverrides: ReadonlyMap<string, string>;
  readonly #flights = new SingleFlight<Word>();
  /** By hash of the token. */
  readonly #words;

  constructor({ clock, originOverrides, maxTokens = MAX_TOKENS }: Options) {
    this.#clock = clock;
    this.#originOverrides = originOverrides;
    this.#words = createExpiringCache<Word>({ clock, maxEntries: maxTokens, ttlSeconds: YES_SECONDS });
  }

  async requireLive(token: VerifiedAccessJwt, accessJwt: string, maxAgeSeconds: number): Promise<boolean> {
    const known = this.#words.get(token.hash);
    const isFresh = known !== undefined && this.#isFresh(known, known.isLive ? maxAgeSeconds : NO_SECONDS);
    const word = isFresh ? known : await this.#flights.run(token.hash, () => this.#ask(token, accessJwt));
    if (!word.isLive) throw hasEnded();
    return !isFresh;
  }

  #isFresh({ askedAt }: Word, maxAgeSeconds: number): boolean {
    return this.#clock.now().getTime() - askedAt < maxAgeSeconds * 1000;
  }

  async #ask(token: VerifiedAccessJwt, accessJwt: string): Promise<Word> {
    const askedAt = this.#clock.now().getTime();
    const word = { isLive: await this.#askTeam(token, accessJwt), askedAt };
    this.#words.set(token.hash, word);
    return word;
  }

  async #askTeam({ teamDomain, holder }: VerifiedAccessJwt, accessJwt: string): Promise<boolean> {
    const headers = { accept: "application/json", cookie: `CF_Authorization=${accessJwt}` };
    const url = `${originOfTeam(teamDomain, this.#originOverrides)}${IDENTITY_PATH}`;
    const { status, body } = await fetchBounded(url, { ...LIMITS, headers }).catch(rethrowAsRefusal);
    if (status === 400 || status === 401 || status === 403 || (status >= 300 && status < 400)) return false;
    if (status !== 200) throw noUsableAnswer(`The team's server answered with status ${status}.`);
    const identity = parseObject(body);
    if (identity === null) throw noUsableAnswer("The answer isn't a JSON object.");
    if ("err" in identity) return false;
    // A page of a proxy's, or somebody else's session, is no yes.
    const { user_uuid: subject, email } = identity;
    if (holder.kind === "person" && (subject === holder.subject || email === holder.email)) return true;
    throw noUsableAnswer("The answer is about somebody else.");
  }
}

function parseObject(body: Buffer): Readonly<Record<string, unknown>> | null {
  const value = parseJson(body);
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

function rethrowAsRefusal(error: unknown): never {
  if (!(error instanceof FetchFailedError)) throw error;
  throw error.failure === "timeout"
    ? new AppError("upstream_timeout", "Cloudflare Access took too long to say whether the session lasts.", {
        cause: error,
      })
    : noUsableAnswer(error.message, error);
}

function noUsableAnswer(reason: string, cause?: unknown): AppError {
  const detail =
    "Cloudflare Access didn't say whether the session still lasts, and the service may act only while it does. Try again in a minute.";
  return new AppError("upstream_failed", detail, { reason, cause });
}

function hasEnded(): AppError {
  return new AppError(
    "access_jwt_expired",
    "Access has ended the session that this token was made in. Sign in to Access again.",
  );
}
