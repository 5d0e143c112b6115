import type { Clock } from "../clock.js";

/** Stands still until it is told to move. */
export class TestClock implements Clock {
  #milliseconds = Date.parse("2026-11-22T12:00:00Z");

  now(): Date {
    return new Date(this.#milliseconds);
  }

  get epochSeconds(): number {
    return this.#milliseconds / 1000;
  }

  advanceSeconds(seconds: number): void {
    this.#milliseconds += seconds * 1000;
  }
}
