import type { ProblemCode } from "../src/errors.js";
import type { Reply } from "./http-client.js";
import type { SceneRun } from "./scene-run.js";
import type { SceneSite } from "./scene-site.js";

/** How a scene ends: with a refusal of the app's, or with an answer that came through from the product. */
export type Ending = { readonly code: ProblemCode } | { readonly status: number };

export type Fact = readonly [name: string, value: string];

/** One thing that a service behind Access can meet, so that anybody can see it happen. */
export interface Scene {
  readonly id: string;
  /** What is arranged, in a few words. */
  readonly title: string;
  /** The same in a sentence or two, and what to look for. */
  readonly about: string;
  readonly ending: Ending;
  /** Where to see on the scenes' site what came of it. */
  readonly seen?: { readonly text: string; readonly path: string };
  /** How long there is nothing to see, where it takes its time. */
  readonly seconds?: number;
  /** Arranges, calls, and answers what the service was answered. The run puts everything back. */
  readonly play: (run: SceneRun) => Promise<Reply>;
  /** What whoever got the answer makes of it, where that is more than there is to see in it. */
  readonly read?: (reply: Reply, scenes: SceneSite) => Promise<readonly Fact[]>;
}

export interface SceneGroup {
  readonly title: string;
  readonly scenes: readonly Scene[];
}
