import { copyFrom } from "../copy-from.js";
import { ApiError } from "../errors.js";
import { focusOn } from "./form-parts.js";
import { Task } from "./task.js";

/** @import { Api } from "../api.js" */
/** @import { NewServiceKey, ServiceKey } from "../types.js" */

/** What can be done with the keys of services. It happens at once, whatever the form holds. */
export class ServiceKeys {
  /** @type {{ readonly serviceId: string, readonly key: NewServiceKey } | null} Shown until somebody has stored it. */
  made = null;
  /** @type {"copied" | "selected" | null} What came of copying it. */
  copied = null;
  /** @type {string | null} Id of the key that would be removed. */
  askedKeyId = null;
  /** @type {string | null} Id of the service whose keys were changed last. */
  serviceId = null;
  /** @type {Task<NewServiceKey | void>} */
  working;
  #api;
  #reload;
  #onChange;

  /** @param {{ api: Api, reload: () => Promise<void>, onChange: () => void }} parts */
  constructor({ api, reload, onChange }) {
    this.#api = api;
    this.#reload = reload;
    this.#onChange = onChange;
    this.working = new Task(onChange);
  }

  /** @param {string} serviceId */
  async create(serviceId) {
    if (this.working.isBusy) return;
    this.serviceId = serviceId;
    this.askedKeyId = null;
    const isMade = await this.working.run(() => this.#api.createServiceKey(serviceId));
    const key = this.working.result;
    if (isMade && key) {
      this.made = { serviceId, key };
      this.copied = null;
      this.#onChange();
      focusOn(newKeyId(serviceId));
    }
    await this.#reload();
  }

  copy() {
    if (!this.made) return;
    this.copied = copyFrom(newKeyId(this.made.serviceId)) ? "copied" : "selected";
    this.#onChange();
  }

  /** Once it is stored somewhere else. */
  forget() {
    const { made } = this;
    this.made = null;
    this.copied = null;
    this.#onChange();
    if (made) focusOn(keysHeadingId(made.serviceId));
  }

  /** @param {ServiceKey} key */
  ask({ id }) {
    this.askedKeyId = id;
    this.working.clear();
    this.#onChange();
    focusOn(keepKeyId(id));
  }

  keep() {
    const { askedKeyId } = this;
    this.askedKeyId = null;
    this.#onChange();
    if (askedKeyId) focusOn(removeKeyId(askedKeyId));
  }

  /**
   * @param {string} serviceId
   * @param {ServiceKey} key
   */
  async remove(serviceId, { id }) {
    if (this.working.isBusy) return;
    this.serviceId = serviceId;
    const isRemoved = await this.working.run(() => this.#removeForGood(serviceId, id));
    if (!isRemoved) return;
    this.askedKeyId = null;
    if (this.made?.key.id === id) this.made = null;
    await this.#reload();
    focusOn(keysHeadingId(serviceId));
  }

  /**
   * @param {string} serviceId
   * @param {string} keyId
   */
  async #removeForGood(serviceId, keyId) {
    try {
      await this.#api.removeServiceKey(serviceId, keyId);
    } catch (error) {
      // Another admin was faster.
      if (!(error instanceof ApiError && error.problem.code === "not_found")) throw error;
    }
  }
}

/** @param {string} serviceId */
export function newKeyId(serviceId) {
  return `service-${serviceId}-new-key`;
}

/** @param {string} serviceId */
export function keysHeadingId(serviceId) {
  return `service-${serviceId}-keys`;
}

/** @param {string} keyId */
export function removeKeyId(keyId) {
  return `remove-key-${keyId}`;
}

/** @param {string} keyId */
export function keepKeyId(keyId) {
  return `keep-key-${keyId}`;
}
