import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";

import type { Express } from "express";
import helmet from "helmet";

export type SecurityHeaders = Readonly<Record<string, string>>;

/**
 * What every answer carries, whoever writes it: Express, a plain handler, or the server itself to bytes that aren't
 * HTTP. Pages and files that need less strict values set their own over these. Two of helmet's defaults are left out:
 * Cross-Origin-Opener-Policy would cut the linking window off from the page that opened it, and X-Frame-Options would
 * keep page shells out of their iframe; `frame-ancestors` does its work.
 */
export function createSecurityHeaders(options: { readonly isProduction: boolean }): SecurityHeaders {
  return {
    "cache-control": "no-cache, no-store",
    "content-security-policy": createPolicy({}),
    ...headersSetBy([
      helmet.crossOriginResourcePolicy({ policy: "same-origin" }),
      // The URLs of page shells hold tokens. The linking window's pages set their own, as they have forms.
      helmet.referrerPolicy({ policy: "no-referrer" }),
      helmet.xContentTypeOptions(),
      // The app speaks for its own host, not for whatever lives below it.
      ...(options.isProduction ? [helmet.strictTransportSecurity({ includeSubDomains: false })] : []),
    ]),
  };
}

/** For a window of the app's own that has a script. */
export const SCRIPTED_PAGE_POLICY = createPolicy({ scriptSrc: ["'self'"], connectSrc: ["'self'"] });

/**
 * For a page in a frame of the product (security rule 8): no other site may frame it, and no script runs in it but the
 * app's own files and the product's one. The product's colours come from where its script does.
 */
export function createFramedPagePolicy(options: {
  /** Where the verified tenant's product lives. */
  readonly productUrl: string;
  readonly allJsUrl: string;
}): string {
  const allJs = new URL(options.allJsUrl);
  return createPolicy({
    scriptSrc: ["'self'", `${allJs.origin}${allJs.pathname}`],
    styleSrc: ["'self'", allJs.origin],
    connectSrc: ["'self'"],
    formAction: ["'none'"],
    frameAncestors: [new URL(options.productUrl).origin],
  });
}

type Directives = Readonly<Record<string, readonly string[]>>;

function createPolicy(directives: Directives): string {
  const setPolicy = helmet.contentSecurityPolicy({
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
      ...directives,
    },
  });
  return headersSetBy([setPolicy])["content-security-policy"] ?? "";
}

/** Switches off what Express adds by itself: its name, and an ETag on answers that must not be stored. */
export function quietExpress(app: Express): void {
  app.disable("x-powered-by");
  app.set("etag", false);
}

type HeaderSetter = (req: IncomingMessage, res: ServerResponse, next: () => void) => void;

function headersSetBy(setters: readonly HeaderSetter[]): SecurityHeaders {
  const req = new IncomingMessage(new Socket());
  const res = new ServerResponse(req);
  for (const set of setters) set(req, res, () => undefined);
  return Object.fromEntries(Object.entries(res.getHeaders()).map(([name, value]) => [name, String(value)]));
}
