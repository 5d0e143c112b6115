import type { Clock } from "../clock.js";
import type { Logger } from "../logger.js";
import { fetchRemoteKeys, type RemoteKeyFetch } from "../remote-keys/fetch-remote-keys.js";
import { RemoteKeysError } from "../remote-keys/remote-key-set.js";
import { SingleFlight } from "../single-flight.js";
import { originOfTeam, parseTeamDomain } from "../team-domain.js";

const KEYS_PATH = "/cdn-cgi/access/certs";
export const TEAM_TIMEOUT_SECONDS = 5;

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
  readonly #flights = new SingleFlight<RemoteKeyFetch>();

  constructor({ clock, logger, originOverrides }: TeamKeyFetcherOptions) {
    this.#clock = clock;
    this.#logger = logger;
    this.#originOverrides = originOverrides;
  }

  /** Never rejects. */
  fetch(teamDomain: string): Promise<RemoteKeyFetch> {
    return this.#flights.run(teamDomain, () => this.#fetchNow(teamDomain));
  }

  async #fetchNow(teamDomain: string): Promise<RemoteKeyFetch> {
    const team = {
      name: "an Access team",
      getUrl: () => this.#getUrl(teamDomain),
      explainStatus: explainTeamStatus,
    };
    const fetched = await fetchRemoteKeys(team, {
      clock: this.#clock,
      timeoutSeconds: TEAM_TIMEOUT_SECONDS,
    });
    if (fetched.keys) {
      this.#logger.info({ teamDomain, kids: [...fetched.keys.keys()] }, "fetched the keys of a team");
    } else {
      const { problem, cause } = fetched;
      this.#logger.warn({ teamDomain, problem, err: cause }, "could not fetch the keys of a team");
    }
    return fetched;
  }

  #getUrl(teamDomain: string): string {
    // Whatever the callers checked: nothing but a team is ever asked.
    if (parseTeamDomain(teamDomain) !== teamDomain)
      throw new RemoteKeysError("This isn't the domain of an Access team.");
    return `${originOfTeam(teamDomain, this.#originOverrides)}${KEYS_PATH}`;
  }
}

function explainTeamStatus(status: number): string {
  return status === 404
    ? "There is no Access team with this name."
    : `The team's server answered with status ${status}.`;
}
