import { randomBytes, randomUUID } from "node:crypto";

import type { Product } from "../src/tenants/tenant.js";
import type { AccessTeam } from "./access-team.js";
import type { AtlassianOauth } from "./atlassian-oauth.js";
import type { Examples } from "./examples.js";
import type { ForgeSite } from "./forge-site.js";
import { HttpClient, type Reply } from "./http-client.js";
import { startServer, type Behaviour, type Incoming, type Server } from "./http-server.js";
import type { InstallKeys } from "./install-keys.js";
import { epochSeconds, queryStringHash, signJwt, type Claims } from "./jwt.js";
import { PEOPLE, type Person } from "./people.js";
import { addProductApi, addVisitorApi } from "./product-api.js";
import { productName } from "../src/web/product-name.js";
import { SiteContent } from "./site-content.js";
import { addFrontend } from "./site-frontend.js";
import { addUserApi } from "./user-api.js";
import { findVisitor, listVisitors } from "./visitors.js";

export type LifecycleEvent = "installed" | "uninstalled" | "enabled" | "disabled";

/** What the site needs of an app's descriptor. */
export interface Descriptor {
  readonly key: string;
  readonly baseUrl: string;
  readonly lifecycle: Readonly<Partial<Record<LifecycleEvent, string>>>;
  readonly scopes?: readonly string[];
  /** By their type, such as `generalPages`. */
  readonly modules?: Readonly<Record<string, DescriptorPage | readonly DescriptorPage[]>>;
}

/** A page that the app adds to the product. */
export interface DescriptorPage {
  readonly key: string;
  readonly name: { readonly value: string };
  /** Below the app's base URL. */
  readonly url: string;
}

/** What is around the site, for its pages to lead to. */
export interface Surroundings {
  readonly team: AccessTeam;
  readonly audiences: { readonly app: string; readonly demo: string };
  readonly demoUrl: string;
  readonly examples: Examples | null;
  readonly forgeSite: ForgeSite | null;
}

/** The app in one product of the site. */
export interface Installation {
  readonly clientKey: string;
  readonly sharedSecret: string;
  readonly oauthClientId: string;
  /** Null while the app isn't installed. */
  readonly app: Descriptor | null;
}

export interface JwtOverrides {
  readonly claims?: Claims;
  readonly header?: Claims;
  /** Signs with this (HS256) instead of the key or secret that it should be signed with. */
  readonly secret?: string;
}

export interface LifecycleOverrides extends JwtOverrides {
  /** Laid over the body that is sent; what the site itself knows stays as it is. */
  readonly body?: Claims;
  /** Sent instead of a token of its own. */
  readonly token?: string;
}

interface Options {
  readonly keys: InstallKeys;
  readonly client?: HttpClient;
  readonly port?: number;
  /** Takes the place of whatever stood behind this listener. */
  readonly server?: Server;
  readonly people?: readonly Person[];
}

/** A Jira and Confluence Cloud site as an app gets to see it: install events, signed tokens, and a little REST. */
export class AtlassianSite {
  readonly server: Server;
  /** By account id. Tests may add people, and make somebody an admin. */
  readonly accounts: Map<string, Person>;
  readonly content = new SiteContent();
  surroundings: Surroundings | null = null;
  /** Whose tokens of users the products take. */
  oauth: AtlassianOauth | null = null;
  readonly #keys: InstallKeys;
  readonly #client: HttpClient;
  readonly #installations = new Map<Product, Installation>();
  // A client key belongs to a product of a site: it survives uninstalling and installing again.
  readonly #clientKeys: Readonly<Record<Product, string>> = { jira: randomUUID(), confluence: randomUUID() };

  private constructor(server: Server, { keys, client = new HttpClient(), people = PEOPLE }: Options) {
    this.server = server;
    this.accounts = new Map(people.map((person) => [person.accountId, person]));
    this.#keys = keys;
    this.#client = client;
    addProductApi(this);
    addVisitorApi(this);
    addUserApi(this);
    addFrontend(this);
  }

  static async start(options: Options): Promise<AtlassianSite> {
    const { port = 0, server = await startServer({ port }) } = options;
    server.routes.length = 0;
    return new AtlassianSite(server, options);
  }

  get url(): string {
    return this.server.url;
  }

  /** As the app names the site: its host, with the port. */
  get host(): string {
    return new URL(this.url).host;
  }

  get behaviour(): Behaviour {
    return this.server.behaviour;
  }

  /** Those who can sign in. */
  get people(): Person[] {
    return listVisitors(this.accounts);
  }

  findVisitor(request: Incoming): Person | null {
    return findVisitor(this.people, request);
  }

  baseUrl(product: Product): string {
    return product === "jira" ? this.url : `${this.url}/wiki`;
  }

  findInstallation(product: Product): Installation | null {
    return this.#installations.get(product) ?? null;
  }

  getInstallation(product: Product): Installation {
    const installation = this.findInstallation(product);
    if (!installation) throw new Error(`The app was never installed in ${product}.`);
    return installation;
  }

  /** Reads the app's descriptor, makes a new shared secret and tells the app. */
  async install(product: Product, appUrl: string, overrides: LifecycleOverrides = {}): Promise<Reply> {
    const call = { caller: productName(product), method: "GET", url: `${appUrl}/atlassian-connect.json` };
    const app = (await this.#client.send(call)).expect(200).body as Descriptor;
    const before = this.findInstallation(product);
    const clientKey = this.#clientKeys[product];
    const installation = {
      app,
      clientKey,
      oauthClientId: `client-${clientKey}`,
      sharedSecret: randomBytes(48).toString("base64url"),
    };
    // Valid from now on: the app may use it before its answer is here.
    this.#installations.set(product, installation);
    let isAgreed = false;
    try {
      const reply = await this.#sendEvent(product, "installed", installation, overrides);
      isAgreed = isSuccess(reply);
      return reply;
    } finally {
      // Atlassian takes an installation back when the app doesn't agree to it.
      if (!isAgreed) this.#restore(product, before);
    }
  }

  async enable(product: Product, overrides: LifecycleOverrides = {}): Promise<Reply> {
    return this.#sendEvent(product, "enabled", this.#requireInstalled(product), overrides);
  }

  async disable(product: Product, overrides: LifecycleOverrides = {}): Promise<Reply> {
    return this.#sendEvent(product, "disabled", this.#requireInstalled(product), overrides);
  }

  async uninstall(product: Product, overrides: LifecycleOverrides = {}): Promise<Reply> {
    const installation = this.#requireInstalled(product);
    const reply = await this.#sendEvent(product, "uninstalled", installation, overrides);
    if (isSuccess(reply)) this.#installations.set(product, { ...installation, app: null });
    return reply;
  }

  /** What `AP.context.getToken()` gives a page of the app: says who looks at it, and works for any URL of the app. */
  async contextJwt(product: Product, accountId: string, overrides: JwtOverrides = {}): Promise<string> {
    return this.#signBySecret(product, { sub: accountId, qsh: "context-qsh", context: {} }, overrides);
  }

  /** The headers with which a page of the app calls it. */
  async authorizePage(product: Product, accountId: string): Promise<Readonly<Record<string, string>>> {
    return { authorization: `JWT ${await this.contextJwt(product, accountId)}` };
  }

  /** What the product puts into `?jwt=` of an iframe: good for this one method and URL. */
  async urlBoundJwt(
    product: Product,
    accountId: string,
    method: string,
    url: string,
    overrides: JwtOverrides = {},
  ): Promise<string> {
    const qsh = queryStringHash(method, url, this.#requireInstalled(product).app.baseUrl);
    return this.#signBySecret(product, { sub: accountId, qsh, context: {} }, overrides);
  }

  async close(): Promise<void> {
    await this.server.close();
  }

  async #sendEvent(
    product: Product,
    eventType: LifecycleEvent,
    { app, clientKey, sharedSecret, oauthClientId }: Installation & { app: Descriptor },
    overrides: LifecycleOverrides,
  ): Promise<Reply> {
    const path = app.lifecycle[eventType];
    if (!path) throw new Error(`The app's descriptor has no lifecycle.${eventType}.`);
    const url = `${app.baseUrl}${path}`;
    const qsh = queryStringHash("POST", url, app.baseUrl);
    const isByAtlassian = eventType === "installed" || eventType === "uninstalled";
    const token =
      overrides.token ??
      (isByAtlassian && overrides.secret === undefined
        ? await this.#keys.sign(
            { ...commonClaims(clientKey, 180), aud: [app.baseUrl], qsh, ...overrides.claims },
            overrides.header,
          )
        : await this.#signBySecret(product, { qsh }, overrides));
    return this.#client.send({
      caller: productName(product),
      method: "POST",
      url,
      headers: { authorization: `JWT ${token}` },
      body: {
        key: app.key,
        clientKey,
        ...(eventType === "installed" && { sharedSecret, oauthClientId }),
        serverVersion: "100294",
        baseUrl: this.baseUrl(product),
        displayUrl: this.baseUrl(product),
        productType: product,
        description: `${productName(product)} of the sandbox`,
        eventType,
        ...overrides.body,
      },
    });
  }

  async #signBySecret(product: Product, claims: Claims, overrides: JwtOverrides): Promise<string> {
    const { clientKey, sharedSecret } = this.getInstallation(product);
    return signJwt(
      overrides.header ?? {},
      { ...commonClaims(clientKey, 900), ...claims, ...overrides.claims },
      overrides.secret ?? sharedSecret,
    );
  }

  #requireInstalled(product: Product): Installation & { app: Descriptor } {
    const { app, ...rest } = this.getInstallation(product);
    if (!app) throw new Error(`The app isn't installed in ${product}.`);
    return { app, ...rest };
  }

  #restore(product: Product, installation: Installation | null): void {
    if (installation) this.#installations.set(product, installation);
    else this.#installations.delete(product);
  }
}

function commonClaims(clientKey: string, lifetimeSeconds: number): Claims {
  const now = epochSeconds();
  // The random jti keeps two events of the same second apart.
  return { iss: clientKey, iat: now, exp: now + lifetimeSeconds, jti: randomUUID() };
}

function isSuccess(reply: Reply): boolean {
  return reply.status >= 200 && reply.status < 300;
}
