export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** How far the clocks of whoever issued a token may be from ours: the only leeway there is, in every judgement of times. */
export const CLOCK_TOLERANCE_SECONDS = 30;

/** Seconds since the epoch, as JWTs count them (RFC 7519 §2, NumericDate), without the fraction. */
export function epochSeconds(clock: Clock): number {
  return Math.floor(clock.now().getTime() / 1000);
}
