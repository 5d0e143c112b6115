import type { Reply } from "./http-client.js";
import { SCENES } from "./refusal-scenes.js";
import type { Scene } from "./scene.js";
import { SceneRun } from "./scene-run.js";
import { SceneSite } from "./scene-site.js";
import type { World } from "./world.js";

/** Plays scenes one at a time, on a site that is there from the first of them on. */
export class Scenes {
  readonly #world: World;
  #opening: Promise<SceneSite> | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(world: World) {
    this.#world = world;
  }

  find(id: string): Scene | null {
    return SCENES.find((scene) => scene.id === id) ?? null;
  }

  /** What the service was answered, once everything is as it was before. */
  async play(scene: Scene): Promise<Reply> {
    // They change what others rely on: the settings, and how the servers around the app behave.
    const playing = this.#last.then(async () => this.#play(scene));
    this.#last = playing.catch(() => undefined);
    return playing;
  }

  async open(): Promise<SceneSite> {
    this.#opening ??= SceneSite.open(this.#world);
    try {
      return await this.#opening;
    } catch (error) {
      this.#opening = null;
      throw error;
    }
  }

  /** Doesn't wait for a scene that is being played: some take half a minute. */
  async close(): Promise<void> {
    const site = await this.#opening?.catch(() => null);
    await site?.close();
  }

  async #play(scene: Scene): Promise<Reply> {
    const run = new SceneRun(await this.open());
    try {
      return await scene.play(run);
    } finally {
      await run.putBack();
    }
  }
}
