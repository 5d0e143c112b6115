import type { BrowserContext } from "playwright-core";

import { shortenUrl } from "./shorten-url.fixture.js";

/** What pages complain about: errors in the console, violations of the Content Security Policy among them, and uncaught ones. */
export class PageErrors {
  readonly #seen: string[] = [];
  readonly #allowed: RegExp[] = [];
  #isOver = false;

  constructor(context: BrowserContext) {
    context.on("console", (message) => {
      if (message.type() === "error" && !this.#isOver)
        this.#seen.push(`${message.text()} (${shortenUrl(message.location().url)})`);
    });
    context.on("weberror", (webError) => {
      const error = webError.error();
      this.#seen.push(`Uncaught: ${error.stack ?? error.message} (${webError.page()?.url() ?? "no page"})`);
    });
    context.on("page", (page) => page.on("crash", () => this.#seen.push(`Crashed: ${page.url()}`)));
  }

  /** From now on nothing counts: a call that was held goes on while its page is being closed. */
  stop(): void {
    this.#isOver = true;
  }

  /** The pattern meets the error's text, followed by the URL it is about, without its query, in parentheses. */
  allow(pattern: RegExp): void {
    this.#allowed.push(pattern);
  }

  /** A document or a call is refused on purpose: Chromium calls that an error, too. */
  allowStatus(...statuses: readonly number[]): void {
    for (const status of statuses) {
      this.allow(new RegExp(`^Failed to load resource: the server responded with a status of ${status}\\b`));
    }
  }

  get unexpected(): readonly string[] {
    return this.#seen.filter((error) => !this.#allowed.some((pattern) => pattern.test(error)));
  }

  expectNone(): void {
    if (this.unexpected.length === 0) return;
    throw new Error(`The pages complained:\n${this.unexpected.map((error) => `  ${error}`).join("\n")}`);
  }
}
