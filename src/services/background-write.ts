/** Stores in the background what comes together within a while, one write after the other. */
export class BackgroundWrite {
  readonly #write: () => Promise<boolean>;
  readonly #everyMilliseconds: number;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> | null = null;
  #hasMore = false;

  /** `write` never throws, and answers whether nothing is left; what is left, it is given the next time. */
  constructor(write: () => Promise<boolean>, everyMilliseconds: number) {
    this.#write = write;
    this.#everyMilliseconds = everyMilliseconds;
  }

  /** There is something to store. */
  soon(): void {
    // A write that is under way may have looked for the last time.
    this.#hasMore = true;
    if (this.#writing) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.#start().then((isDone) => {
        if (!isDone) this.soon();
      });
    }, this.#everyMilliseconds).unref();
  }

  /** Stores what there is now. What can't be stored is not tried again by itself. */
  async drain(): Promise<void> {
    while (this.#writing) await this.#writing;
    // Only now: the write that was under way may have set it.
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#start();
  }

  async #start(): Promise<boolean> {
    this.#hasMore = false;
    const writing = this.#write();
    this.#writing = writing.then(() => undefined);
    const isDone = await writing;
    this.#writing = null;
    return isDone && !this.#hasMore;
  }
}
