import { randomUUID } from "node:crypto";

import { PRODUCTS, type Product } from "../src/tenants/tenant.js";
import { productName } from "../src/web/product-name.js";
import type { ForgeApi } from "./forge-api.js";
import type { ForgeDeployment } from "./forge-deployment.js";
import {
  createForgeSender,
  FORGE_ENVIRONMENT_ID,
  pageClaims,
  triggerClaims,
  type ForgeSender,
} from "./forge-fit.js";
import { addForgeFrontend } from "./forge-frontend.js";
import { invokeRemote } from "./forge-invoke.js";
import type { ForgeKeys } from "./forge-keys.js";
import type { ForgePage } from "./forge-manifest.js";
import { createPagePath } from "./forge-page-path.js";
import { HttpClient, type Reply } from "./http-client.js";
import { startServer, type Incoming, type Server } from "./http-server.js";
import type { Claims } from "./jwt.js";
import { PEOPLE, type Person } from "./people.js";
import { addVisitorApi } from "./product-api.js";
import { SiteContent } from "./site-content.js";
import { findVisitor, listVisitors } from "./visitors.js";

interface Options {
  readonly keys: ForgeKeys;
  readonly api: ForgeApi;
  readonly deployment: ForgeDeployment;
  readonly client?: HttpClient;
  readonly port?: number;
  readonly people?: readonly Person[];
}

type Headers = Readonly<Record<string, string>>;

/** A Jira and Confluence Cloud site that the app gets into by its other door: as a Forge app with a remote back end. */
export class ForgeSite {
  readonly server: Server;
  /** By account id. Tests may add people, and make somebody an admin. */
  readonly accounts: Map<string, Person>;
  readonly content = new SiteContent();
  /** Its pages lead nowhere else. */
  readonly surroundings = null;
  /** Where somebody gets who wants to see the rest of the sandbox. */
  homeUrl: string | null = null;
  /** The same over reinstalls. */
  readonly cloudId = randomUUID();
  readonly deployment: ForgeDeployment;
  readonly #keys: ForgeKeys;
  readonly #api: ForgeApi;
  readonly #client: HttpClient;
  /** Null while the app isn't installed. */
  #sender: ForgeSender | null = null;

  private constructor(server: Server, options: Options) {
    const { keys, api, deployment, client = new HttpClient(), people = PEOPLE } = options;
    this.server = server;
    this.accounts = new Map(people.map((person) => [person.accountId, person]));
    this.deployment = deployment;
    this.#keys = keys;
    this.#api = api;
    this.#client = client;
    addVisitorApi(this);
    addForgeFrontend(this);
  }

  /** To browsers it is another site than the app is, as it really would be. */
  static async start(options: Options): Promise<ForgeSite> {
    const server = await startServer({ port: options.port ?? 0, hostname: "127.0.0.1" });
    return new ForgeSite(server, options);
  }

  get url(): string {
    return this.server.url;
  }

  /** As the app names the site: its host, with the port. */
  get host(): string {
    return new URL(this.url).host;
  }

  /** Those who can sign in. */
  get people(): Person[] {
    return listVisitors(this.accounts);
  }

  /** Where the app is installed. */
  get products(): readonly Product[] {
    return this.#sender?.products ?? [];
  }

  findVisitor(request: Incoming): Person | null {
    return findVisitor(this.people, request);
  }

  /** As the app's pages are told of it by `view.getContext()`, but for the address of the product's page. */
  describeContext({ key, type }: ForgePage, { accountId }: Person): object {
    return {
      accountId,
      cloudId: this.cloudId,
      siteUrl: this.url,
      moduleKey: key,
      localId: `${FORGE_ENVIRONMENT_ID}/${key}`,
      environmentId: FORGE_ENVIRONMENT_ID,
      environmentType: "PRODUCTION",
      locale: "en-US",
      timezone: "UTC",
      extension: { type },
    };
  }

  /** The page's path in its product. */
  pathOf(page: ForgePage): string {
    return createPagePath(page);
  }

  getPage(key: string): ForgePage {
    const page = this.deployment.pages.find((each) => each.key === key);
    if (!page) throw new Error(`The manifest has no page ${key}.`);
    return page;
  }

  /** The manifest's scopes are granted, the app gets a token of its own, and is told. */
  async install(products: readonly Product[] = PRODUCTS): Promise<Reply> {
    const { cloudId, deployment } = this;
    this.#sender = createForgeSender({ cloudId, siteUrl: this.url, products, apiUrl: this.#api.url });
    this.#api.install({ cloudId, site: this, scopes: deployment.scopes, products });
    return this.#pull("trigger", { eventType: "avi:forge:installed:app" });
  }

  async upgrade(): Promise<Reply> {
    return this.#pull("trigger", { eventType: "avi:forge:upgraded:app" });
  }

  /** What the manifest has scheduled is due. */
  async tick(): Promise<Reply> {
    return this.#pull("scheduledTrigger");
  }

  /** The app is told before, and it is uninstalled whatever it says. */
  async uninstall(): Promise<Reply> {
    try {
      return await this.#pull("preUninstall");
    } finally {
      this.#api.uninstall(this.cloudId);
      this.#sender = null;
    }
  }

  /** The headers with which Forge passes on what the account page asks. */
  async authorizePage(product: Product, accountId: string): Promise<Headers> {
    return this.#authorize(this.getPage(`${product}-account`), accountId);
  }

  /** What `invokeRemote` of a page does; throws what it rejects with. */
  async invoke(page: ForgePage, { name, accountId }: Person, sent: unknown): Promise<object> {
    const remote = {
      client: this.#client,
      caller: `${name}'s page in ${productName(page.product)}, through Forge`,
      origin: new URL(this.deployment.appUrl).origin,
      headers: await this.#authorize(page, accountId),
    };
    return invokeRemote(remote, sent);
  }

  async close(): Promise<void> {
    await this.server.close();
  }

  async #authorize(page: ForgePage, accountId: string): Promise<Headers> {
    const { key, type, product } = page;
    const claims = pageClaims(this.#requireInstalled(), accountId, { product });
    const { tokens } = this.deployment.getEndpoint(page);
    return {
      ...(await this.#sign({
        ...claims,
        app: { ...claims.app, module: { type, key } },
        context: { ...claims.context, moduleKey: key },
      })),
      ...(tokens.includes("appUserToken") && { "x-forge-oauth-user": this.#createUserToken(accountId) }),
    };
  }

  #createUserToken(accountId: string): string {
    const person = this.accounts.get(accountId);
    if (!person) throw new Error("Nobody on this site has this account.");
    return this.#api.userToken(this.cloudId, person);
  }

  /** Calls the endpoint of the manifest's only module of this type. */
  async #pull(type: string, body: object = {}): Promise<Reply> {
    const [module] = this.deployment.listModules(type);
    if (!module) throw new Error(`The manifest has no ${type}.`);
    const endpoint = this.deployment.getEndpoint(module);
    const headers = await this.#sign(triggerClaims(this.#requireInstalled(), endpoint.key));
    return this.#client.send({
      caller: `Forge's ${type}`,
      method: "POST",
      url: (endpoint.path ?? "").replace("${BASE_PATH}", this.deployment.appUrl),
      headers: {
        ...headers,
        ...(endpoint.tokens.includes("appSystemToken") && {
          "x-forge-oauth-system": this.#api.systemToken(this.cloudId),
        }),
      },
      body,
    });
  }

  async #sign(claims: Claims): Promise<Headers> {
    return {
      authorization: `Bearer ${await this.#keys.sign(claims)}`,
      "x-b3-traceid": randomUUID().replaceAll("-", ""),
      "x-b3-spanid": randomUUID().replaceAll("-", "").slice(16),
    };
  }

  #requireInstalled(): ForgeSender {
    if (!this.#sender) throw new Error("The app isn't installed.");
    return this.#sender;
  }
}
