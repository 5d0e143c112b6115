/**
 * Work that takes a while, with what came of it. Begun again, the earlier answer no longer counts.
 *
 * @template T
 */
export class Task {
  isBusy = false;
  /** @type {T | null} */
  result = null;
  /** @type {unknown} */
  error = null;
  #runs = 0;
  #onChange;

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /**
   * Never throws. Keeps the last result until the next is here.
   *
   * @param {() => Promise<T>} work
   * @returns {Promise<boolean>} whether it worked and still counts
   */
  async run(work) {
    const run = ++this.#runs;
    this.isBusy = true;
    this.error = null;
    this.#onChange();
    try {
      const result = await work();
      if (run !== this.#runs) return false;
      this.result = result;
      return true;
    } catch (error) {
      if (run === this.#runs) this.error = error;
      return false;
    } finally {
      if (run === this.#runs) {
        this.isBusy = false;
        this.#onChange();
      }
    }
  }

  /** Forgets what came of it, and whatever is still to come. */
  clear() {
    this.#runs += 1;
    this.isBusy = false;
    this.result = null;
    this.error = null;
  }
}
