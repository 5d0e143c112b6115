import { Task } from "./task.js";

/** @import { Api } from "../api.js" */
/** @import { PageOf, ServiceOverview } from "../types.js" */

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

  /**
   * @param {string | null} serviceId
   * @returns {ServiceOverview | null} null for a new service, and while it isn't known
   */
  find(serviceId) {
    return this.loading.result?.items.find((overview) => overview.serviceId === serviceId) ?? null;
  }
}
