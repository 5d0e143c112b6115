import { createExpiringCache } from "../expiring-cache.js";
import type { Clock } from "../clock.js";
import { FetchFailedError, fetchBounded } from "../bounded-fetch.js";
import type { FrontSight, PopupFront } from "../services/popup-front.js";
import { parseAudience } from "../services/audience.js";
import { SingleFlight } from "../single-flight.js";
import { findTeamDomain } from "../team-domain.js";

interface Options {
  /** The app's public URL, without a trailing slash. */
  readonly baseUrl: string;
  /** Team domain → origin that stands in for it. */
  readonly originOverrides: ReadonlyMap<string, string>;
  readonly clock: Clock;
}

// No attempt has this id; whether the path is protected doesn't depend on it.
const PATH = "/access/link/check";
// It is the same for all tenants: however many ask, Cloudflare is asked once in so many seconds.
const SIGHT_SECONDS = 3;
const LOGIN_PATH = "/cdn-cgi/access/login";
// As a browser would be answered, but with our own refusal as JSON, which can be told from other pages.
const LIMITS = {
  timeoutSeconds: 5,
  maxBytes: 256 * 1024,
  headers: { accept: "application/problem+json, text/html" },
  wantsRedirects: true,
};

/** Opens the popup's path at the public address, with no credentials, and says who answered. */
export class AccessFront implements PopupFront {
  readonly url: string;
  readonly #originOverrides: ReadonlyMap<string, string>;
  readonly #flights = new SingleFlight<FrontSight>();
  readonly #seen;

  constructor({ baseUrl, originOverrides, clock }: Options) {
    this.url = `${baseUrl}${PATH}`;
    this.#originOverrides = originOverrides;
    this.#seen = createExpiringCache<FrontSight>({ clock, maxEntries: 1, ttlSeconds: SIGHT_SECONDS });
  }

  async look(): Promise<FrontSight> {
    const seen = this.#seen.get(this.url);
    if (seen) return seen;
    return this.#flights.run(this.url, async () => {
      const sight = await this.#lookNow();
      this.#seen.set(this.url, sight);
      return sight;
    });
  }

  async #lookNow(): Promise<FrontSight> {
    try {
      const { status, headers, body } = await fetchBounded(this.url, LIMITS);
      const location = headers.get("location");
      if (status >= 300 && status < 400 && location !== null) return this.#readSignIn(location, status);
      if (status === 401 && isOurRefusal(body)) return { kind: "open" };
      return { kind: "other", status };
    } catch (error) {
      if (error instanceof FetchFailedError) return { kind: "unreachable", reason: error.message };
      throw error;
    }
  }

  /** Access redirects to `https://<team>/cdn-cgi/access/login/<host>?kid=<AUD tag>&…`. */
  #readSignIn(location: string, status: number): FrontSight {
    if (!URL.canParse(location, this.url)) return { kind: "other", status };
    const url = new URL(location, this.url);
    const isLogin = url.pathname === LOGIN_PATH || url.pathname.startsWith(`${LOGIN_PATH}/`);
    return {
      kind: "sign_in",
      teamDomain: isLogin ? this.#findTeam(url.origin) : null,
      audience: parseAudience(url.searchParams.get("kid") ?? ""),
    };
  }

  #findTeam(origin: string): string | null {
    for (const [teamDomain, standIn] of this.#originOverrides) if (standIn === origin) return teamDomain;
    return findTeamDomain(origin);
  }
}

function isOurRefusal(body: Buffer): boolean {
  try {
    const { code } = JSON.parse(body.toString("utf8")) as { readonly code?: unknown };
    return code === "access_jwt_missing";
  } catch {
    return false;
  }
}
