import { LRUCache } from "lru-cache";

import type { Clock } from "../clock.js";
import { AppError } from "../errors.js";
import { RemoteKeyRing } from "../remote-keys/remote-key-ring.js";
import type { RemoteKey } from "../remote-keys/remote-key-set.js";
import type { TeamCheck, TeamKeys } from "../services/team-keys.js";
import { DecoyFetches, type DecoyFetchesOptions } from "./decoy-fetches.js";
import { TeamKeyFetcher, type TeamKeyFetcherOptions } from "./team-key-fetcher.js";

const DEFAULT_MAX_TEAMS = 10_000;
// As long as Access itself honours a key that it has replaced.
const KEPT_DAYS = 7;

interface TeamKeyCacheOptions extends TeamKeyFetcherOptions, DecoyFetchesOptions {
  readonly maxTeams?: number;
}

/**
 * The public keys of Access teams. Keys are used for an hour, then refreshed behind the back of requests, and kept
 * for seven days while the team can't be reached. Once a team's keys are known, or while it is dead, requests make the
 * app ask it at most once a minute.
 */
export class TeamKeyCache implements TeamKeys {
  readonly #clock: Clock;
  readonly #fetcher: TeamKeyFetcher;
  readonly #decoys: DecoyFetches;
  readonly #rings: LRUCache<string, RemoteKeyRing>;

  constructor({ maxTeams = DEFAULT_MAX_TEAMS, ...options }: TeamKeyCacheOptions) {
    this.#clock = options.clock;
    this.#fetcher = new TeamKeyFetcher(options);
    this.#decoys = new DecoyFetches(options);
    this.#rings = new LRUCache({ max: maxTeams });
  }

  /**
   * The team's current key of this name, or null if it has none. Only for teams that a tenant trusts: the team takes
   * a place in the cache. Throws AppError `keys_unavailable` when the team can't be asked and the keys at hand don't
   * tell: a key that isn't among them may be newer than they are.
   */
  async findKey(teamDomain: string, kid: string): Promise<RemoteKey | null> {
    const ring = this.#openRing(teamDomain);
    const atHand = ring.findKey(kid, this.#now());
    if (atHand) {
      if (!ring.isFresh(this.#now())) void this.#refresh(teamDomain, ring);
      return atHand;
    }
    const waits = !ring.hasKeys(this.#now()) || ring.problem !== null || this.#decoys.isDue(teamDomain);
    if (!ring.mayFetch(this.#now())) await this.#decoys.run(teamDomain);
    else if (waits) await this.#refresh(teamDomain, ring);
    // Behind the back of this one: whoever sends bad tokens without end must not keep a new key from being seen.
    else void this.#refresh(teamDomain, ring);
    const key = ring.findKey(kid, this.#now());
    if (key) return key;
    this.#decoys.noteRefusal(teamDomain);
    if (ring.problem !== null || !ring.hasKeys(this.#now())) {
      throw new AppError("keys_unavailable", undefined, {
        reason: `The keys of ${teamDomain} can't be fetched. ${ring.problem ?? ""}`,
      });
    }
    return null;
  }

  /**
   * To be awaited before a token is refused that names a team, but no unknown kid of a known one: as `findKey` makes those
   * wait who name one. Otherwise time would tell strangers which teams are known (security rule 2): the kids of every
   * team are public, too. Asks nobody.
   */
  async waitBeforeRefusal(teamDomain: string): Promise<void> {
    await this.#decoys.run(teamDomain);
    this.#decoys.noteRefusal(teamDomain);
  }

  async check(teamDomain: string): Promise<TeamCheck> {
    const startedMs = performance.now();
    const fetched = await this.#fetcher.fetch(teamDomain);
    // Whoever may try any name must not push out the teams that others use: no new ring.
    this.#rings.peek(teamDomain)?.recordCheck(fetched);
    const kids = [...(fetched.keys?.keys() ?? [])];
    return {
      ok: fetched.problem === null,
      teamDomain,
      keyCount: kids.length,
      kids,
      milliseconds: Math.round(performance.now() - startedMs),
      problem: fetched.problem === null ? null : { code: "keys_unavailable", detail: fetched.problem },
    };
  }

  warm(teamDomain: string): void {
    const ring = this.#openRing(teamDomain);
    if (!ring.hasKeys(this.#now())) void this.#refresh(teamDomain, ring);
  }

  forget(teamDomain: string): void {
    this.#rings.delete(teamDomain);
  }

  #openRing(teamDomain: string): RemoteKeyRing {
    const known = this.#rings.get(teamDomain);
    if (known) return known;
    const ring = new RemoteKeyRing({ keptDays: KEPT_DAYS });
    this.#rings.set(teamDomain, ring);
    return ring;
  }

  async #refresh(teamDomain: string, ring: RemoteKeyRing): Promise<void> {
    if (!ring.mayFetch(this.#now())) return;
    const fetched = await this.#fetcher.fetch(teamDomain);
    if (fetched.keys) this.#decoys.learn(fetched);
    ring.record(fetched);
  }

  #now(): Date {
    return this.#clock.now();
  }
}
