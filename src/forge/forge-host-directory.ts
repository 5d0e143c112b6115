import type { Clock } from "../clock.js";
import type { Logger } from "../logger.js";
import { UNKNOWN_ACCOUNT } from "../tenants/account-answer.js";
import { HostAnswers } from "../tenants/host-answers.js";
import type { HostAccount, HostDirectory } from "../tenants/host-directory.js";
import type { Tenant } from "../tenants/tenant.js";
import type { ForgeApiClient } from "./forge-api-client.js";
import {
  accountQuestion,
  confluenceAdminQuestion,
  jiraAdminQuestion,
  ownAccountQuestion,
  whoseTokenQuestion,
} from "./forge-questions.js";
import type { ForgeUserTokens } from "./forge-user-tokens.js";
import { findSystemToken, getPlace, type InstalledPlace, type InstalledPlaces } from "./installed-place.js";

interface Dependencies {
  readonly api: ForgeApiClient;
  readonly places: InstalledPlaces;
  readonly userTokens: Pick<ForgeUserTokens, "find">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Asks Jira and Confluence behind Atlassian's API, with the tokens that Forge sends. */
export class ForgeHostDirectory implements HostDirectory {
  readonly #api: ForgeApiClient;
  readonly #places: InstalledPlaces;
  readonly #userTokens: Dependencies["userTokens"];
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #answers: HostAnswers;

  constructor({ api, places, userTokens, clock, logger }: Dependencies) {
    this.#api = api;
    this.#places = places;
    this.#userTokens = userTokens;
    this.#clock = clock;
    this.#logger = logger;
    this.#answers = new HostAnswers(clock);
  }

  /** By the token that came with the account's own call, a moment ago: nobody else is told. Without one, nobody is an admin. */
  isAdmin(tenant: Tenant, accountId: string): Promise<boolean> {
    return this.#answers.isAdmin(tenant, accountId, async () => {
      const userToken = this.#userTokens.find(tenant, accountId);
      if (userToken === null) return false;
      const place = await getPlace(this.#places, tenant);
      return place.product === "jira"
        ? this.#isAdminInJira(tenant, place, accountId, userToken)
        : this.#isAdminInConfluence(tenant, place, accountId, userToken);
    });
  }

  findAccount(tenant: Tenant, accountId: string): Promise<HostAccount> {
    return this.#answers.findAccount(tenant, accountId, () => this.#askAccount(tenant, accountId));
  }

  async acceptsInstallation(tenant: Tenant): Promise<boolean> {
    try {
      const place = await getPlace(this.#places, tenant);
      const token = findSystemToken(place, this.#clock.now());
      return (
        token !== null && (await this.#api.ask(place, token, whoseTokenQuestion(place.product))) !== null
      );
    } catch (error) {
      this.#logger.info({ err: error, tenant: tenant.id }, "the product didn't accept the installation");
      return false;
    }
  }

  async #isAdminInJira(
    tenant: Tenant,
    place: InstalledPlace,
    accountId: string,
    userToken: string,
  ): Promise<boolean> {
    const owner = await this.#api.ask(place, userToken, whoseTokenQuestion("jira"));
    if (!this.#isOwn(tenant, accountId, owner)) return false;
    return (await this.#api.ask(place, userToken, jiraAdminQuestion)) ?? false;
  }

  async #isAdminInConfluence(
    tenant: Tenant,
    place: InstalledPlace,
    accountId: string,
    userToken: string,
  ): Promise<boolean> {
    const answer = await this.#api.ask(place, userToken, confluenceAdminQuestion);
    return this.#isOwn(tenant, accountId, answer?.accountId ?? null) && answer?.isAdmin === true;
  }

  /** The call could have been sent with a token that another app was given for somebody else. */
  #isOwn(tenant: Tenant, accountId: string, owner: string | null): boolean {
    if (owner === accountId) return true;
    const problem = owner === null ? "the product didn't take it" : "it is somebody else's";
    this.#logger.warn({ tenant: tenant.id, problem }, "a user's token that came with a call isn't believed");
    return false;
  }

  async #askAccount(tenant: Tenant, accountId: string): Promise<HostAccount> {
    try {
      const place = await getPlace(this.#places, tenant);
      return (
        (await this.#askOwnAccount(tenant, place, accountId)) ??
        (await this.#askAboutAccount(place, accountId)) ??
        UNKNOWN_ACCOUNT
      );
    } catch (error) {
      this.#logger.warn({ err: error, tenant: tenant.id }, "the product didn't tell about an account");
      return UNKNOWN_ACCOUNT;
    }
  }

  /** Also before the app has a token of its own. Null when that tells nothing. */
  async #askOwnAccount(
    tenant: Tenant,
    place: InstalledPlace,
    accountId: string,
  ): Promise<HostAccount | null> {
    const userToken = this.#userTokens.find(tenant, accountId);
    if (userToken === null) return null;
    // Whatever comes along as one mustn't keep the app from asking with its own.
    const account = await this.#api
      .ask(place, userToken, ownAccountQuestion(place.product, accountId))
      .catch(() => null);
    return account?.standing === "unknown" ? null : account;
  }

  async #askAboutAccount(place: InstalledPlace, accountId: string): Promise<HostAccount | null> {
    const token = findSystemToken(place, this.#clock.now());
    return token === null ? null : this.#api.ask(place, token, accountQuestion(place.product, accountId));
  }
}
