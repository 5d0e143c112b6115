import { focusOn } from "./form-parts.js";
import { Task } from "./task.js";

/** @import { Api } from "../api.js" */
/** @import { Predecessor, Settings } from "../types.js" */

export const TAKE_OVER_BUTTON = "take-over";
export const NOT_NOW_BUTTON = "take-over-later";
/** Then the page is shown without it. */
const LATE_AFTER_MS = 3_000;

/** What the app can take over from the way in which it was installed here before. */
export class PredecessorCard {
  isAsking = false;
  /** @type {Task<Predecessor>} */
  looking;
  /** @type {Task<Settings>} */
  taking;
  #api;
  #isPossible;
  #onChange;
  #onTakenOver;

  /** @param {{ api: Api, isPossible: boolean, onChange: () => void, onTakenOver: () => Promise<void> }} parts */
  constructor({ api, isPossible, onChange, onTakenOver }) {
    this.#api = api;
    this.#isPossible = isPossible;
    this.#onChange = onChange;
    this.#onTakenOver = onTakenOver;
    this.looking = new Task(onChange);
    this.taking = new Task(onChange);
  }

  /** Null where there is none. */
  get found() {
    const { result } = this.looking;
    return result?.available ? result : null;
  }

  /** The product that is asked for it may take its time. */
  async look() {
    if (!this.#isPossible) return;
    const looked = this.looking.run(() => this.#api.findPredecessor());
    await Promise.race([looked, new Promise((resolve) => setTimeout(resolve, LATE_AFTER_MS))]);
  }

  ask() {
    this.isAsking = true;
    this.taking.clear();
    this.#onChange();
    focusOn(NOT_NOW_BUTTON);
  }

  leave() {
    this.isAsking = false;
    this.taking.clear();
    this.#onChange();
    focusOn(TAKE_OVER_BUTTON);
  }

  /** @param {number} version of the settings that are dropped for it, as the page shows them */
  async takeOver(version) {
    if (this.taking.isBusy) return;
    const isDone = await this.taking.run(() => this.#api.takeOver(version));
    if (!isDone) return;
    this.isAsking = false;
    this.looking.clear();
    await this.#onTakenOver();
    focusOn("title");
  }
}
