import { FetchFailedError, fetchBounded } from "../bounded-fetch.js";
import type { Clock } from "../clock.js";
import type { Logger } from "../logger.js";
import { SingleFlight } from "../single-flight.js";
import { originOfTeam, parseTeamDomain } from "../team-domain.js";
import { parseTeamKeySet, TeamKeysError, type TeamKeySet } from "./team-key-set.js";

const KEYS_PATH = "/cdn-cgi/access/certs";
export const TEAM_TIMEOUT_SECONDS = 5;
// An answer has about 8 KiB. Reading a much longer one would hold up other requests.
const LIMITS = {
  timeoutSeconds: TEAM_TIMEOUT_SECONDS,
  maxBytes: 128 * 1024,
  headers: { accept: "application/json" },
};

/** How asking a team for its keys went. */
export type TeamKeyFetch = {
  /** What the team published later isn't in it. */
  readonly startedAt: Date;
  readonly milliseconds: number;
} & (
  | { readonly keys: TeamKeySet; readonly problem: null }
  /** `problem` is a sentence that is safe to show to an admin. */
  | { readonly keys: null; readonly problem: string }
);

export interface TeamKeyFetcherOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Team domain → origin that stands in for it. */
  readonly originOverrides: ReadonlyMap<string, string>;
}

/** Asks teams for their keys, each at most once at a time: whoever asks meanwhile gets the same answer. */
export class TeamKeyFetcher {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #originOverrides: ReadonlyMap<string, string>;
  readonly #flights = new SingleFlight<TeamKeyFetch>();

  constructor({ clock, logger, originOverrides }: TeamKeyFetcherOptions) {
    this.#clock = clock;
    this.#logger = logger;
    this.#originOverrides = originOverrides;
  }

  /** Never rejects. */
  fetch(teamDomain: string): Promise<TeamKeyFetch> {
    return this.#flights.run(teamDomain, () => this.#fetchNow(teamDomain));
  }

  async #fetchNow(teamDomain: string): Promise<TeamKeyFetch> {
    const startedAt = this.#clock.now();
    const startedMs = performance.now();
    const measure = () => ({ startedAt, milliseconds: performance.now() - startedMs });
    try {
      const keys = await this.#fetchKeys(teamDomain);
      this.#logger.info({ teamDomain, kids: [...keys.keys()] }, "fetched the keys of a team");
      return { ...measure(), keys, problem: null };
    } catch (error) {
      const problem = describe(error);
      this.#logger.warn({ teamDomain, problem, err: error }, "could not fetch the keys of a team");
      return { ...measure(), keys: null, problem };
    }
  }

  async #fetchKeys(teamDomain: string): Promise<TeamKeySet> {
    // Whatever the callers checked: nothing but a team is ever asked.
    if (parseTeamDomain(teamDomain) !== teamDomain)
      throw new TeamKeysError("This isn't the domain of an Access team.");
    const origin = originOfTeam(teamDomain, this.#originOverrides);
    const { status, body } = await fetchBounded(`${origin}${KEYS_PATH}`, LIMITS);
    if (status === 404) throw new TeamKeysError("There is no Access team with this name.");
    if (status !== 200) throw new TeamKeysError(`The team's server answered with status ${status}.`);
    return parseTeamKeySet(body);
  }
}

function describe(error: unknown): string {
  if (error instanceof TeamKeysError || error instanceof FetchFailedError) return error.message;
  return "The keys can't be fetched.";
}
