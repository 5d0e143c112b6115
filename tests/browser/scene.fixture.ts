import type { Browser, BrowserContext, Frame, Page } from "playwright-core";

import type { AppPage, LinkAttempt, SettingsChanges } from "../../sandbox/app-page.js";
import type { AtlassianSite } from "../../sandbox/atlassian-site.js";
import type { Behaviour } from "../../sandbox/http-server.js";
import { ADA, nickname, type Person } from "../../sandbox/people.js";
import { pathOf } from "../../sandbox/site-pages.js";
import { SERVICES, type World } from "../../sandbox/world.js";
import type { Product } from "../../src/tenants/tenant.js";
import { ApiControl } from "./api-control.fixture.js";
import { LIGHT_WIDE, type Look } from "./look.fixture.js";
import { PageErrors } from "./page-errors.fixture.js";
import { shortenUrl } from "./shorten-url.fixture.js";
import { Traffic } from "./traffic.fixture.js";

const APP_KEY = "access-for-atlassian-cloud";
const PATIENCE_MS = 10_000;
const WELL: Behaviour = { off: false, failing: false, delaySeconds: 0 };

interface Options {
  readonly world: World;
  readonly browser: Browser;
  /** Nobody else's: nothing is installed in it yet. */
  readonly site: AtlassianSite;
  readonly look?: Look;
}

export interface HostPageOptions {
  readonly module?: "account" | "admin" | "configure";
  readonly product?: Product;
  /** Whether the login page leaves the popup its opener. */
  readonly opener?: "kept" | "cut";
  /** What the address says besides, such as `ac.service`. */
  readonly query?: Readonly<Record<string, string>>;
}

/** The app's page as a person has it open in Jira or Confluence. */
export interface OpenAppPage {
  readonly page: Page;
  readonly frame: Frame;
  /** From the request for the shell until the page was usable. */
  readonly usableAfterMs: number;
}

/** A site of its own in a running world, and a browser without cookies that looks at it. */
export class BrowserScene {
  readonly world: World;
  readonly site: AtlassianSite;
  readonly look: Look;
  readonly context: BrowserContext;
  readonly errors: PageErrors;
  readonly traffic: Traffic;
  readonly api: ApiControl;
  /** How long to wait for what should come. */
  patienceMs = PATIENCE_MS;

  private constructor(
    { world, site, look = LIGHT_WIDE }: Options,
    context: BrowserContext,
    errors: PageErrors,
    api: ApiControl,
  ) {
    this.world = world;
    this.site = site;
    this.look = look;
    this.context = context;
    this.errors = errors;
    this.api = api;
    this.traffic = new Traffic(context, {
      app: new URL(world.appUrl).origin,
      others: [
        ...world.parts.sites,
        ...(world.parts.forge?.sites ?? []),
        ...world.parts.teams,
        { url: world.parts.demoUrl },
      ].map(({ url }) => new URL(url).origin),
      hostScriptFolder: `${world.site.url}/connect/`,
    });
  }

  static async start(options: Options): Promise<BrowserScene> {
    const { world, browser, look = LIGHT_WIDE } = options;
    const context = await browser.newContext({
      viewport: { width: look.width, height: 800 },
      deviceScaleFactor: 1,
      colorScheme: look.theme,
      reducedMotion: "reduce",
      locale: "en-US",
      timezoneId: "UTC",
    });
    context.setDefaultTimeout(PATIENCE_MS);
    const errors = new PageErrors(context);
    return new BrowserScene(options, context, errors, await ApiControl.take(context, world.appUrl, errors));
  }

  /** Installs the app, and nothing more. */
  async install(...products: readonly Product[]): Promise<void> {
    for (const product of products) await this.world.install(product, this.site);
  }

  /** Installs it, and Ada enters team and services, in each product. */
  async prepare({
    products = ["jira"],
    settings = {},
  }: { readonly products?: readonly Product[]; readonly settings?: SettingsChanges } = {}): Promise<void> {
    await this.install(...products);
    for (const product of products) {
      const entered = { teamDomain: this.world.team.domain, services: SERVICES, ...settings };
      await this.client(ADA, product).saveSettings(entered);
    }
  }

  /** Talks to the app as this person's page does, without a browser: to arrange things, and to look at what came of them. */
  client(person: Person, product: Product = "jira"): AppPage {
    return this.world.page(person, product, this.site);
  }

  /** Links without this browser; `identity` is who they are in Access. */
  async link(person: Person, product: Product = "jira", identity: Person = person): Promise<void> {
    await this.client(person, product).link(await this.world.browser(identity), identity);
  }

  async openHostPage(person: Person, options: HostPageOptions = {}): Promise<Page> {
    const { module = "account", product = "jira", opener = "kept", query: own = {} } = options;
    const query = new URLSearchParams({ as: nickname(person), theme: this.look.theme, opener, ...own });
    const page = await this.context.newPage();
    const url = `${this.site.url}${pathOf({ product, appKey: APP_KEY, moduleKey: module })}?${query.toString()}`;
    const response = await page.goto(url, { waitUntil: "commit" });
    if (response?.ok()) return page;
    throw new Error(`There is no ${module} page in ${product}: ${await readText(page)}`);
  }

  /** The host page with the app's page in it, as soon as that has something to show other than that it is loading. */
  async openAppPage(person: Person, options: HostPageOptions = {}): Promise<OpenAppPage> {
    const page = await this.openHostPage(person, options);
    const frame = await this.findAppFrame(page);
    return { page, frame, usableAfterMs: await this.waitUntilUsable(frame) };
  }

  async findAppFrame(page: Page): Promise<Frame> {
    const isOurs = (frame: Frame) => frame.url().startsWith(`${this.world.appUrl}/`);
    const deadline = Date.now() + this.patienceMs;
    while (Date.now() < deadline) {
      const frame = page.frames().find(isOurs);
      if (frame) return frame;
      await page.waitForEvent("framenavigated", { predicate: isOurs, timeout: 200 }).catch(() => null);
    }
    throw new Error(
      `The app's page isn't in ${shortenUrl(page.url())}, which says:\n${await readText(page)}`,
    );
  }

  /** Answers how many milliseconds after the request for the page that was. */
  async waitUntilUsable(view: Page | Frame): Promise<number> {
    // In the page, frame by frame: locators look less and less often, which would be measured too.
    const usableAt = await view.evaluate<number | null>(`new Promise((resolve) => {
      const deadline = performance.now() + ${this.patienceMs};
      const look = () => {
        if (document.querySelector("main:not(:has([data-waiting], [aria-busy=true]))")) resolve(performance.now());
        else if (performance.now() > deadline) resolve(null);
        else requestAnimationFrame(look);
      };
      look();
    })`);
    if (usableAt !== null) return usableAt;
    throw new Error(`${shortenUrl(view.url())} never got usable. It says:\n${await readText(view)}`);
  }

  /** Clicks a button or a link that opens the popup. */
  async openPopup(frame: Page | Frame, name: string | RegExp): Promise<Page> {
    const opener = frame.getByRole("button", { name }).or(frame.getByRole("link", { name }));
    const [popup] = await Promise.all([this.context.waitForEvent("page"), opener.click()]);
    // It opens blank, inside the click, and is led on when the attempt has begun.
    await popup.waitForURL(({ protocol }) => protocol !== "about:");
    await popup.waitForLoadState();
    return popup;
  }

  /** A popup with an opener of the app's own that says nothing: for the popup's states without a product around them. */
  async openBarePopup(attempt: LinkAttempt): Promise<Page> {
    const opener = await this.context.newPage();
    await opener.goto(`${this.world.appUrl}/problems`);
    const [popup] = await Promise.all([
      this.context.waitForEvent("page"),
      opener.evaluate(`void window.open(${JSON.stringify(attempt.url)}, "_blank", "popup")`),
    ]);
    await popup.waitForLoadState();
    return popup;
  }

  /** Chooses a person on the Access login screen, and waits until it has led on; elsewhere does nothing. */
  async signIn(page: Page, person: Person): Promise<void> {
    const isLogin = (url: URL) => url.pathname.startsWith("/cdn-cgi/access/");
    if (!isLogin(new URL(page.url()))) return;
    const isThem = new RegExp(person.email.replaceAll(".", "\\."));
    await page.getByRole("button", { name: isThem }).click();
    await page.waitForURL((url) => !isLogin(url));
  }

  async blockHostScript(): Promise<void> {
    this.errors.allow(/net::ERR_BLOCKED_BY_CLIENT/);
    await this.context.route(`${this.world.site.url}/connect/all.js`, (route) =>
      route.abort("blockedbyclient"),
    );
  }

  /** What the admin page fetches once its first view stands. */
  async blockLaterParts(): Promise<void> {
    this.errors.allow(/net::ERR_CONNECTION_FAILED/);
    await this.context.route(/\/admin\/later-parts\.js$/, (route) => route.abort("connectionfailed"));
  }

  /** Ends the browser's part; a page that complained, unless that was allowed, is an error. */
  async end(): Promise<void> {
    this.errors.stop();
    await this.context.unrouteAll({ behavior: "ignoreErrors" });
    await this.context.close();
    this.world.team.cutsOpeners = false;
    Object.assign(this.world.team.behaviour, WELL);
    Object.assign(this.site.behaviour, WELL);
    this.errors.expectNone();
  }
}

/** Ends the scene however the work ends; what the pages complained of may explain why it failed. */
export async function endAfter(scene: BrowserScene, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await scene.end().catch((complaint: unknown) => {
      throw new Error(`${String(error)}\n${String(complaint)}`, { cause: error });
    });
    throw error;
  }
  await scene.end();
}

/** What a person sees, for messages about what they should have seen. */
export async function readText(view: Page | Frame): Promise<string> {
  return view.evaluate<string>("document.body.innerText");
}
