import type { Frame, Page } from "playwright-core";

import type { AppPage, SettingsChanges } from "../../sandbox/app-page.js";
import type { ForgeSite } from "../../sandbox/forge-site.js";
import { ADA, nickname, type Person } from "../../sandbox/people.js";
import { SERVICES, type World } from "../../sandbox/world.js";
import { PRODUCTS, type Product } from "../../src/tenants/tenant.js";
import type { BrowserScene, OpenAppPage } from "./scene.fixture.js";

interface PageOptions {
  readonly page?: "account" | "admin" | "configure";
  readonly product?: Product;
  /** What the address says besides, such as `ac.service`. */
  readonly query?: Readonly<Record<string, string>>;
}

/** A scene whose app came in through Forge: on a site of its own, beside that of the scene. */
export class ForgeScene {
  readonly scene: BrowserScene;
  readonly site: ForgeSite;

  constructor(scene: BrowserScene) {
    const { forge, sites } = scene.world.parts;
    const site = forge?.sites[sites.indexOf(scene.site)];
    if (!site) throw new Error("This world has no Forge.");
    this.scene = scene;
    this.site = site;
  }

  get world(): World {
    return this.scene.world;
  }

  /** Installs it, and Ada enters team and services, in both products. */
  async prepare(): Promise<void> {
    (await this.site.install()).expect(204);
    for (const product of PRODUCTS) await this.enterSettings(product);
  }

  async enterSettings(product: Product, changes: SettingsChanges = {}): Promise<void> {
    const { domain: teamDomain } = this.world.team;
    await this.client(ADA, product).saveSettings({ teamDomain, services: SERVICES, ...changes });
  }

  /** Talks to the app as this person's page does, without a browser. */
  client(person: Person, product: Product = "jira"): AppPage {
    return this.world.page(person, product, this.site);
  }

  async openAppPage(
    person: Person,
    { page = "account", product = "jira", query = {} }: PageOptions = {},
  ): Promise<OpenAppPage> {
    const path = this.site.pathOf(this.site.getPage(`${product}-${page}`));
    const { theme } = this.scene.look;
    const search = new URLSearchParams({ as: nickname(person), theme, ...query });
    return this.open(`${this.site.url}${path}?${search.toString()}`);
  }

  /** A page of the product with the app's in it. */
  async open(url: string): Promise<OpenAppPage> {
    const page = await this.scene.context.newPage();
    await page.goto(url);
    const frame = await this.#findAppFrame(page);
    return { page, frame, usableAfterMs: await this.scene.waitUntilUsable(frame) };
  }

  /** Clicks a button of the frame that has the product open a tab. */
  async openTab(frame: Frame, name: string): Promise<Page> {
    const [tab] = await Promise.all([
      this.scene.context.waitForEvent("page"),
      frame.getByRole("button", { name }).click(),
    ]);
    await tab.waitForLoadState();
    return tab;
  }

  async #findAppFrame(page: Page): Promise<Frame> {
    const element = await page.locator("#forge-app iframe").elementHandle();
    const frame = await element.contentFrame();
    if (!frame) throw new Error("The product's page has no frame for the app's.");
    await frame.waitForURL(`${this.site.deployment.url}/**`);
    return frame;
  }
}
