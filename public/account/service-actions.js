import { ApiError } from "../errors.js";

/** @import { AccountState } from "./account-page.js" */
/** @import { Mounted } from "./mount.js" */
/** @import { Api } from "../api.js" */
/** @import { Service } from "../types.js" */

/**
 * @typedef {object} Deciding What somebody decides about one service.
 * @property {string} serviceId
 * @property {"agree" | "withdraw"} kind
 * @property {boolean} isBusy
 * @property {unknown} error
 * @property {Service | null} shown What was agreed to here, where the service may do something else by now.
 */

/**
 * @param {() => Mounted<AccountState>} getPage
 * @param {{ api: Pick<Api, "agree" | "withdraw">, focus: (selector: string) => void, refresh: () => Promise<void> }} parts
 */
export function createServiceActions(getPage, { api, focus, refresh }) {
  /**
   * @param {Service} service
   * @param {Deciding["kind"]} kind
   * @param {() => Promise<void>} decide
   */
  async function work(service, kind, decide) {
    const { serviceId } = service;
    if (getPage().state.deciding?.isBusy) return;
    const deciding = { serviceId, kind, error: null, shown: null };
    getPage().update({ deciding: { ...deciding, isBusy: true } });
    try {
      await decide();
      getPage().update({ deciding: null });
      setStanding(serviceId, kind === "agree" ? "agreed" : "withdrawn");
    } catch (error) {
      const code = error instanceof ApiError ? error.problem.code : null;
      const isOther = code === "consent_changed";
      if (isOther || code === "not_found") await refresh().catch(() => undefined);
      getPage().update({ deciding: { ...deciding, isBusy: false, error, shown: isOther ? service : null } });
      if (isOther) focus(`[data-service="${CSS.escape(serviceId)}"] [data-changed]`);
      if (code === "not_found") focus("[data-gone]");
    }
  }

  /**
   * @param {string} serviceId
   * @param {Service["standing"]} standing
   */
  function setStanding(serviceId, standing) {
    const { me } = getPage().state;
    if (!me) return;
    const decided = { standing, decidedAt: new Date().toISOString() };
    const services = me.services.map((each) =>
      each.serviceId === serviceId ? { ...each, ...decided } : each,
    );
    getPage().update({ me: { ...me, services } });
  }

  return {
    /** @param {Service} service As it is shown: that is what is agreed to. */
    agree: (service) => work(service, "agree", () => api.agree(service.serviceId, service.digest)),

    /** @param {Service} service */
    withdraw: (service) => work(service, "withdraw", () => api.withdraw(service.serviceId)),
  };
}
