/** Lets callers who want the same thing at the same time share one attempt. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Promise<T>>();

  /** What `work` throws before it returns a promise is for its own caller alone. */
  run(key: string, work: () => Promise<T>): Promise<T> {
    const inFlight = this.#flights.get(key);
    if (inFlight) return inFlight;
    const flight = work().finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }
}
