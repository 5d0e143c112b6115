import { LateAnswerError } from "../errors.js";
import { Task } from "./task.js";

/** @import { Api } from "../api.js" */
/** @import { PageOf, ServiceOverview } from "../types.js" */

/** How long the page waits for it before it shows the rest. */
const LATE_AFTER_MS = 3_000;

/** What is going on at the trusted services: consents, keys and use. */
export class ServiceOverviews {
  /** @type {Task<PageOf<ServiceOverview>>} */
  loading;
  #api;

  /** @param {{ api: Api, onChange: () => void }} parts */
  constructor({ api, onChange }) {
    this.#api = api;
    this.loading = new Task(onChange);
  }

  async load() {
    await this.loading.run(() => this.#api.listServices());
  }

  /** A late answer counts as none: the page would move under somebody's hands. */
  async loadInTime() {
    await this.loading.run(() => Promise.race([this.#api.listServices(), failLate()]));
  }

  /**
   * @param {string | null} serviceId
   * @returns {ServiceOverview | null} null for a new service, and while it isn't known
   */
  find(serviceId) {
    return this.loading.result?.items.find((overview) => overview.serviceId === serviceId) ?? null;
  }
}

/** @returns {Promise<never>} */
function failLate() {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new LateAnswerError("The answer is late.")), LATE_AFTER_MS);
  });
}
