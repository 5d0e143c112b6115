import type { Arbitrary } from "fast-check";

import type { Run } from "./run.fixture.js";

/** One line of a story. */
export interface Step {
  readonly text: string;
  play(run: Run): Promise<void>;
}

/** Steps of one kind: by chance, or as somebody chooses. */
export interface Kind<T> {
  readonly arbitrary: Arbitrary<Step>;
  readonly tell: (choice: T) => Step;
}

export function kind<T>(choices: Arbitrary<T>, tell: (choice: T) => Step): Kind<T> {
  return { arbitrary: choices.map(tell), tell };
}
