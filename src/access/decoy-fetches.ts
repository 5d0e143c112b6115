import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import type { Clock } from "../clock.js";
import { RateLimit } from "../rate-limit.js";
import { SingleFlight } from "../single-flight.js";

export interface DecoyFetchesOptions {
  readonly clock: Clock;
  readonly wait?: (milliseconds: number) => Promise<unknown>;
  /** How many teams are remembered. */
  readonly maxDecoys?: number;
}

interface TimedFetch {
  readonly milliseconds: number;
}

/** Enough for a new key to be asked for in spite of a few bad tokens, too few to hold up whoever sends many. */
export const WAITS_OF_A_TEAM = { calls: 20, perSeconds: 60 };
const MAX_TEAMS = 10_000;
const MAX_SAMPLES = 32;
const MILLISECONDS_BEFORE_ANY_SAMPLE = 100;
/** A team that answers slowly must not make everybody's refusals slow. */
const MAX_MILLISECONDS = 1000;

/**
 * Takes the place of asking a team for its keys where that isn't allowed or not due. It asks nobody, but takes as long
 * as a good fetch took lately. Of those who are refused for a token that names one team, the first twenty in a minute
 * wait, for the team or for a decoy.
 */
export class DecoyFetches {
  readonly #wait: (milliseconds: number) => Promise<unknown>;
  /** By team: refusals. */
  readonly #refusals: RateLimit;
  readonly #flights = new SingleFlight<unknown>();
  readonly #samples: TimedFetch[] = [];

  constructor({ clock, wait = sleep, maxDecoys = MAX_TEAMS }: DecoyFetchesOptions) {
    this.#wait = wait;
    this.#refusals = new RateLimit({ clock, ...WAITS_OF_A_TEAM, maxKeys: maxDecoys });
  }

  /** All who waited for a fetch may tell of it. */
  learn(fetched: TimedFetch): void {
    if (this.#samples.at(-1) === fetched) return;
    this.#samples.push(fetched);
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
  }

  /** Whether somebody who may be refused has to wait. */
  isDue(teamDomain: string): boolean {
    return this.#refusals.findWaitSeconds(teamDomain) === null;
  }

  noteRefusal(teamDomain: string): void {
    if (this.isDue(teamDomain)) this.#refusals.count(teamDomain);
  }

  /** Whoever comes meanwhile waits too, as for a real fetch. */
  async run(teamDomain: string): Promise<void> {
    if (this.isDue(teamDomain))
      await this.#flights.run(teamDomain, () => this.#wait(this.#pickMilliseconds()));
  }

  #pickMilliseconds(): number {
    const { length } = this.#samples;
    const sample = length > 0 ? this.#samples[randomInt(length)] : undefined;
    return Math.min(sample?.milliseconds ?? MILLISECONDS_BEFORE_ANY_SAMPLE, MAX_MILLISECONDS);
  }
}
