import type { ListedService, ListedSettings, ServiceLimits } from "../src/services/settings.js";
import type { Product } from "../src/tenants/tenant.js";
import type { Browser } from "./browser.js";
import type { HttpClient, Reply } from "./http-client.js";
import type { Person } from "./people.js";
import { productName } from "../src/web/product-name.js";

/** A service as an admin enters it: what is left out, the app fills in. */
export interface NewService
  extends Pick<ListedService, "label" | "audience" | "purposes">, Partial<Pick<ListedService, "paused">> {
  readonly id?: string | null;
  readonly limits?: Partial<ServiceLimits> | null;
}

export interface SettingsChanges extends Partial<Omit<ListedSettings, "services" | "version">> {
  readonly services?: readonly NewService[];
}

/** A service as a person's page shows it. */
export interface ShownService {
  readonly serviceId: string;
  readonly label: string;
  readonly standing: string;
  readonly digest: string;
}

export interface LinkAttempt {
  readonly id: string;
  readonly url: string;
  readonly expiresAt: string;
}

export interface Link {
  readonly id: string;
  readonly accountId: string;
  readonly email: string;
}

/** A site with the app's pages in it, by whichever door the app came in. */
export interface PageSite {
  readonly url: string;
  /** The headers with which a page of the app calls it. */
  authorizePage(product: Product, accountId: string): Promise<Readonly<Record<string, string>>>;
}

interface Options {
  readonly client: HttpClient;
  readonly appUrl: string;
  readonly site: PageSite;
  readonly product: Product;
  readonly person: Person;
}

/** The app's page in Jira or Confluence as its script talks to the app: with a fresh token for every call. */
export class AppPage {
  readonly person: Person;
  readonly #client: HttpClient;
  readonly #appUrl: string;
  readonly #site: PageSite;
  readonly #product: Product;

  constructor({ client, appUrl, site, product, person }: Options) {
    this.person = person;
    this.#client = client;
    this.#appUrl = appUrl;
    this.#site = site;
    this.#product = product;
  }

  /** `path` is below the app's base URL, with the query. */
  async send(method: string, path: string, body?: unknown): Promise<Reply> {
    const headers = await this.#site.authorizePage(this.#product, this.person.accountId);
    return this.#client.send({
      caller: `${this.person.name}'s page in ${productName(this.#product)}`,
      method,
      url: `${this.#appUrl}${path}`,
      headers,
      ...(body !== undefined && { body }),
    });
  }

  async getSettings(): Promise<ListedSettings> {
    return (await this.send("GET", "/api/v1/settings")).expect(200).body as ListedSettings;
  }

  /** Reads the settings, changes them, saves them. */
  async saveSettings(changes: SettingsChanges): Promise<ListedSettings> {
    const settings = await this.getSettings();
    const reply = await this.send("PUT", "/api/v1/settings", { ...settings, ...changes });
    return reply.expect(200).body as ListedSettings;
  }

  async listLinks(): Promise<Link[]> {
    const me = (await this.send("GET", "/api/v1/me")).expect(200).body as { links: Link[] };
    return me.links;
  }

  /** How many links there were. */
  async unlinkAll(): Promise<number> {
    const links = await this.listLinks();
    for (const { id } of links) (await this.send("DELETE", `/api/v1/me/links/${id}`)).expect(204);
    return links.length;
  }

  /** One that this person is asked about. */
  async findService(label: string): Promise<ShownService> {
    const me = (await this.send("GET", "/api/v1/me")).expect(200).body as { services: ShownService[] };
    const found = me.services.find((service) => service.label === label);
    if (!found) throw new Error(`The page shows no service ${label}.`);
    return found;
  }

  /** To what is shown now. */
  async agree(label: string): Promise<void> {
    const { serviceId, digest } = await this.findService(label);
    (await this.sendConsent(serviceId, digest)).expect(204);
  }

  async sendConsent(serviceId: string, digest: string): Promise<Reply> {
    return this.send("PUT", `/api/v1/me/consents/${serviceId}`, { digest });
  }

  async withdraw(label: string): Promise<void> {
    const { serviceId } = await this.findService(label);
    (await this.send("DELETE", `/api/v1/me/consents/${serviceId}`)).expect(204);
  }

  async beginLink(): Promise<LinkAttempt> {
    return (await this.send("POST", "/api/v1/me/link-attempts", {})).expect(201).body as LinkAttempt;
  }

  /** Opens the attempt in a popup, signs in to Access as `identity`, and stops where both sides are shown. */
  async openPopup(attempt: LinkAttempt, browser: Browser, identity: Person = this.person): Promise<Reply> {
    await browser.open(attempt.url, new URL(this.#appUrl).origin);
    return (await browser.signInIfAsked(identity)).expect(200);
  }

  /** Opens it where the product opens no popups: in a tab that is a stranger to the page. Stops as `openPopup` does. */
  async openTab({ id }: LinkAttempt, browser: Browser): Promise<Reply> {
    await browser.open(`${this.#appUrl}/access/link/${id}`, this.#site.url);
    return (await browser.signInIfAsked(this.person)).expect(200);
  }

  async finishLink(attempt: LinkAttempt, code: string): Promise<Link> {
    const reply = await this.send("POST", "/api/v1/me/links", { attempt: attempt.id, code });
    return reply.expect(200, 201).body as Link;
  }

  /** The whole way, as the popup's script goes it. */
  async link(browser: Browser, identity: Person = this.person): Promise<Link> {
    const attempt = await this.beginLink();
    await this.openPopup(attempt, browser, identity);
    return this.finishLink(attempt, await confirmInPopup(browser));
  }
}

/** Clicks the popup's button as its script does: the answer is the code for the window that opened the popup. */
export async function confirmInPopup(browser: Browser): Promise<string> {
  const reply = await browser.submit({}, "application/json");
  return (reply.expect(200).body as { code: string }).code;
}

/** Clicks it without a script: the page shows the code that a person types. */
export async function readTypedCode(browser: Browser): Promise<string> {
  const reply = (await browser.submit({})).expect(200);
  const code = /<output[^>]*id="link-code"[^>]*>([^<]+)</.exec(reply.text)?.[1];
  if (!code) throw new Error("The popup shows no code to type.");
  return code.trim();
}
