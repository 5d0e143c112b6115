import type { BrowserContext, Request } from "playwright-core";

import { shortenUrl } from "./shorten-url.fixture.js";

export interface SentRequest {
  readonly method: string;
  readonly url: string;
  /** Of the frame that asked, before the answer; empty where a page was only about to open. */
  readonly frameUrl: string;
  /** The address bar, a link, a form or a redirect, rather than something that a page loads. */
  readonly isNavigation: boolean;
}

interface Places {
  readonly app: string;
  /** Origins of everything else that runs in the test: sites, the Access team, the demo service. */
  readonly others: readonly string[];
  /** Where the host script and its theme files come from. */
  readonly hostScriptFolder: string;
}

/** Every request that left the browser. */
export class Traffic {
  readonly requests: SentRequest[] = [];
  readonly #places: Places;

  constructor(context: BrowserContext, places: Places) {
    this.#places = places;
    context.on("request", (request) => this.requests.push(describe(request)));
  }

  /** The app's pages load from the app and the host script's folder; nothing at all goes to the world outside. */
  expectOnlyAppAndHostScript(): void {
    const strays = this.requests.filter((request) => !this.#isExpected(request));
    if (strays.length === 0) return;
    const lines = strays.map(
      ({ method, url, frameUrl }) =>
        `  ${method} ${shortenUrl(url)}\n    from ${shortenUrl(frameUrl) || "a new page"}`,
    );
    throw new Error(`Requests that should not have left:\n${lines.join("\n")}`);
  }

  #isExpected({ url, frameUrl, isNavigation }: SentRequest): boolean {
    const { app, others, hostScriptFolder } = this.#places;
    const origin = originOf(url);
    if (origin === app || ["data:", "blob:", "about:"].includes(new URL(url).protocol)) return true;
    const isByTheApp = !isNavigation && originOf(frameUrl) === app;
    return isByTheApp ? url.startsWith(hostScriptFolder) : others.includes(origin);
  }
}

function describe(request: Request): SentRequest {
  return {
    method: request.method(),
    url: request.url(),
    frameUrl: findFrameUrl(request),
    isNavigation: request.isNavigationRequest(),
  };
}

function findFrameUrl(request: Request): string {
  try {
    return request.frame().url();
  } catch {
    // A page that is only about to open has no frame yet.
    return "";
  }
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : "";
}
