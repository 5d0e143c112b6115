import { focusOn } from "./form-parts.js";
import { Task } from "./task.js";

/** @import { Api } from "../api.js" */
/** @import { AssertionKey } from "../types.js" */

export const REPLACE_BUTTON = "replace-assertion-keys";
export const KEEP_BUTTON = "keep-assertion-keys";

/** The keys with which the app vouches for people: they are replaced by themselves, or at once. */
export class AssertionKeys {
  isAsking = false;
  /** @type {Task<AssertionKey>} */
  replacing;
  #api;
  #onChange;

  /** @param {{ api: Api, onChange: () => void }} parts */
  constructor({ api, onChange }) {
    this.#api = api;
    this.#onChange = onChange;
    this.replacing = new Task(onChange);
  }

  ask() {
    this.isAsking = true;
    this.replacing.clear();
    this.#onChange();
    focusOn(KEEP_BUTTON);
  }

  keep() {
    this.isAsking = false;
    this.#onChange();
    focusOn(REPLACE_BUTTON);
  }

  async replace() {
    if (this.replacing.isBusy) return;
    const isDone = await this.replacing.run(() => this.#api.rotateAssertionKeys());
    if (isDone) this.keep();
  }
}
