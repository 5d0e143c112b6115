import type { Clock } from "../clock.js";
import { AppError } from "../errors.js";
import type { Logger } from "../logger.js";
import { parseJson } from "../parse-json.js";
import { UNKNOWN_ACCOUNT } from "../tenants/account-answer.js";
import { HostAnswers } from "../tenants/host-answers.js";
import type { HostAccount, HostDirectory } from "../tenants/host-directory.js";
import type { Installation } from "../tenants/tenant-store.js";
import type { Tenant } from "../tenants/tenant.js";
import type { HostClient, HostRequest } from "./host-client.js";
import {
  acceptsInstallationQuestion,
  accountQuestion,
  isAdminQuestion,
  type HostQuestion,
} from "./host-questions.js";

interface Dependencies {
  readonly hostClient: HostClient;
  readonly appKey: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly findInstallationByTenant: (tenantId: string) => Promise<Installation | null>;
  /** An unproven tenant's host has accepted a call that was signed with its secret (security rule 4). */
  readonly onAccepted: (tenant: Tenant) => Promise<void>;
}

/** Asks Jira and Confluence by their REST APIs. */
export class ConnectHostDirectory implements HostDirectory {
  readonly #hostClient: HostClient;
  readonly #appKey: string;
  readonly #logger: Logger;
  readonly #findInstallationByTenant: Dependencies["findInstallationByTenant"];
  readonly #onAccepted: Dependencies["onAccepted"];
  readonly #answers: HostAnswers;

  constructor(dependencies: Dependencies) {
    this.#hostClient = dependencies.hostClient;
    this.#appKey = dependencies.appKey;
    this.#logger = dependencies.logger;
    this.#findInstallationByTenant = dependencies.findInstallationByTenant;
    this.#onAccepted = dependencies.onAccepted;
    this.#answers = new HostAnswers(dependencies.clock);
  }

  isAdmin(tenant: Tenant, accountId: string): Promise<boolean> {
    return this.#answers.isAdmin(tenant, accountId, async () => {
      const isAdmin = (await this.#ask(tenant, isAdminQuestion(tenant.product, accountId))) ?? false;
      if (isAdmin) await this.#noteProof(tenant);
      return isAdmin;
    });
  }

  findAccount(tenant: Tenant, accountId: string): Promise<HostAccount> {
    return this.#answers.findAccount(tenant, accountId, () => this.#askAccount(tenant, accountId));
  }

  /** Whether the product itself says that it no longer knows the secret; not whether it merely didn't answer. Never throws. */
  async refusesInstallation(tenant: Tenant): Promise<boolean> {
    try {
      const { status } = await this.#send(tenant, acceptsInstallationQuestion(this.#appKey).request);
      return status === 401;
    } catch (error) {
      this.#logger.info({ err: error, tenant: tenant.id }, "the product didn't say whether it knows the app");
      return false;
    }
  }

  async acceptsInstallation(tenant: Tenant): Promise<boolean> {
    try {
      const isAccepted = (await this.#ask(tenant, acceptsInstallationQuestion(this.#appKey))) ?? false;
      if (isAccepted) await this.#noteProof(tenant);
      return isAccepted;
    } catch (error) {
      this.#logger.info({ err: error, tenant: tenant.id }, "the product didn't accept the installation");
      return false;
    }
  }

  async #askAccount(tenant: Tenant, accountId: string): Promise<HostAccount> {
    try {
      return (await this.#ask(tenant, accountQuestion(tenant.product, accountId))) ?? UNKNOWN_ACCOUNT;
    } catch (error) {
      this.#logger.warn({ err: error, tenant: tenant.id }, "the product didn't tell about an account");
      return UNKNOWN_ACCOUNT;
    }
  }

  async #send(tenant: Tenant, request: HostRequest): ReturnType<HostClient["send"]> {
    const installation = await this.#findInstallationByTenant(tenant.id);
    if (installation?.tenant.generation !== tenant.generation) {
      throw upstreamFailed("The installation has changed meanwhile.");
    }
    return this.#hostClient.send(installation.clientKey, request);
  }

  /** Null when the product refuses to tell, knows nothing of it, or answers something else. */
  async #ask<T>(tenant: Tenant, { request, answer }: HostQuestion<T>): Promise<T | null> {
    const { status, body } = await this.#send(tenant, request);
    if (status === 403 || status === 404) return null;
    if (status !== 200) throw upstreamFailed(`The product answered ${status}.`);
    const json = parseJson(body);
    if (json === undefined) throw upstreamFailed("The product's answer isn't JSON.");
    const parsed = answer.safeParse(json);
    return parsed.success ? parsed.data : null;
  }

  /** Only for a yes that nobody but the app itself would get: other answers a host might give to anybody. */
  async #noteProof(tenant: Tenant): Promise<void> {
    if (!tenant.proven) await this.#onAccepted(tenant);
  }
}

function upstreamFailed(reason: string): AppError {
  return new AppError("upstream_failed", undefined, { reason });
}
