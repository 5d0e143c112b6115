import { ApiError, NoAnswerError } from "./errors.js";

/** @import { AssertionKey, AuditAction, AuditEvent, AuditKind, Deed, Host, HostRequest, Link, LinkAttempt, Me, NewServiceKey, PageOf, PopupCheck, Predecessor, Problem, ServiceOverview, Settings, SettingsDraft, TeamCheck } from "./types.js" */

/** The app's REST API. Every call throws ApiError when it is refused and NoAnswerError when no answer came. */
export class Api {
  /** @type {Host} */
  #host;

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
  }

  /** @returns {Promise<Me>} */
  getMe() {
    return this.#call("GET", "/api/v1/me");
  }

  /** @returns {Promise<LinkAttempt>} */
  beginLink() {
    return this.#call("POST", "/api/v1/me/link-attempts", {});
  }

  /**
   * @param {string} attempt
   * @param {string} code
   * @returns {Promise<Link>}
   */
  finishLink(attempt, code) {
    return this.#call("POST", "/api/v1/me/links", { attempt, code });
  }

  /**
   * @param {string} id
   * @returns {Promise<void>}
   */
  unlinkMe(id) {
    return this.#call("DELETE", `/api/v1/me/links/${encodeURIComponent(id)}`);
  }

  /**
   * Throws `consent_changed` when `digest` isn't of what the service may do now.
   *
   * @param {string} serviceId
   * @param {string} digest
   * @returns {Promise<void>}
   */
  agree(serviceId, digest) {
    return this.#call("PUT", `/api/v1/me/consents/${encodeURIComponent(serviceId)}`, { digest });
  }

  /**
   * @param {string} serviceId
   * @returns {Promise<void>}
   */
  withdraw(serviceId) {
    return this.#call("DELETE", `/api/v1/me/consents/${encodeURIComponent(serviceId)}`);
  }

  /**
   * Throws `consent_changed` when the link has another e-mail now.
   *
   * @param {string} id
   * @param {string} email
   * @returns {Promise<Link>}
   */
  confirmLink(id, email) {
    return this.#call("POST", `/api/v1/me/links/${encodeURIComponent(id)}/confirm`, { email });
  }

  /**
   * @param {string} until
   * @returns {Promise<void>}
   */
  markNewsSeen(until) {
    return this.#call("POST", "/api/v1/me/news/seen", { until });
  }

  /**
   * @param {{ limit: number, cursor: string | null }} options
   * @returns {Promise<PageOf<Deed>>}
   */
  listMyActivity(options) {
    return this.#call("GET", `/api/v1/me/activity${toQuery(options)}`);
  }

  /** @returns {Promise<Settings>} */
  getSettings() {
    return this.#call("GET", "/api/v1/settings");
  }

  /**
   * @param {SettingsDraft} settings
   * @returns {Promise<Settings>}
   */
  saveSettings(settings) {
    return this.#call("PUT", "/api/v1/settings", settings);
  }

  /**
   * What fetching a team's keys gives.
   *
   * @param {string} teamDomain
   * @returns {Promise<TeamCheck>}
   */
  checkTeam(teamDomain) {
    return this.#call("POST", "/api/v1/settings/check", { teamDomain });
  }

  /** @returns {Promise<PopupCheck>} */
  checkPopupPath() {
    return this.#call("POST", "/api/v1/settings/popup-check", {});
  }

  /** @returns {Promise<Predecessor>} */
  findPredecessor() {
    return this.#call("GET", "/api/v1/settings/predecessor");
  }

  /**
   * @param {number} version of the settings that are dropped for it
   * @returns {Promise<Settings>}
   */
  takeOver(version) {
    return this.#call("POST", "/api/v1/settings/predecessor/take-over", { version });
  }

  /** @returns {Promise<PageOf<ServiceOverview>>} */
  listServices() {
    return this.#call("GET", "/api/v1/services");
  }

  /**
   * @param {string} serviceId
   * @returns {Promise<NewServiceKey>}
   */
  createServiceKey(serviceId) {
    return this.#call("POST", `/api/v1/services/${encodeURIComponent(serviceId)}/keys`, {});
  }

  /**
   * @param {string} serviceId
   * @param {string} keyId
   * @returns {Promise<void>}
   */
  removeServiceKey(serviceId, keyId) {
    const service = encodeURIComponent(serviceId);
    return this.#call("DELETE", `/api/v1/services/${service}/keys/${encodeURIComponent(keyId)}`);
  }

  /** @returns {Promise<AssertionKey>} the one that signs from now on */
  rotateAssertionKeys() {
    return this.#call("POST", "/api/v1/settings/assertion-keys/rotate", {});
  }

  /**
   * @param {{ query?: string, cursor?: string | null }} options
   * @returns {Promise<PageOf<Link>>}
   */
  listLinks(options) {
    return this.#call("GET", `/api/v1/links${toQuery(options)}`);
  }

  /**
   * @param {string} id
   * @returns {Promise<void>}
   */
  removeLink(id) {
    return this.#call("DELETE", `/api/v1/links/${encodeURIComponent(id)}`);
  }

  /**
   * Within ten minutes.
   *
   * @param {string} id
   * @returns {Promise<Link>}
   */
  restoreLink(id) {
    return this.#call("POST", `/api/v1/links/${encodeURIComponent(id)}/restore`, {});
  }

  /**
   * @param {{ kind?: AuditKind | "", action?: AuditAction | "", actor?: string, from?: string, to?: string, limit?: number, cursor?: string | null }} options
   * @returns {Promise<PageOf<AuditEvent>>}
   */
  listAudit(options) {
    return this.#call("GET", `/api/v1/audit${toQuery(options)}`);
  }

  /**
   * @template T What the API's contract promises here.
   * @param {HostRequest["method"]} method
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<T>}
   */
  async #call(method, path, body) {
    const answer = await this.#host.send({ method, path, ...(body !== undefined && { body }) });
    if (answer.status >= 200 && answer.status < 300) return /** @type {T} */ (answer.body);
    const problem = /** @type {Partial<Problem> | null} */ (answer.body);
    // Something between the browser and the app answered, such as a proxy with a page of its own.
    if (typeof problem?.code !== "string")
      throw new NoAnswerError(`Status ${answer.status} without a reason.`);
    throw new ApiError(/** @type {Problem} */ (problem), answer.retryAfterSeconds);
  }
}

/** @param {Readonly<Record<string, string | number | null | undefined>>} options */
function toQuery(options) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && value !== null && value !== "") query.set(name, String(value));
  }
  return query.size > 0 ? `?${query.toString()}` : "";
}
