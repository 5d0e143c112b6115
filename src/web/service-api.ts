import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";

import type { AppContext } from "../app-context.js";
import { AppError, NotFoundError } from "../errors.js";
import { parseWith } from "../field-errors.js";
import { audienceField } from "../services/settings-document.js";
import { parseSite } from "../tenants/site.js";
import { findAccessJwts, requireAccessJwt } from "./access-credentials.js";
import { presentIdentity } from "./presenters.js";
import { getRequestContext, noteCallerKnown } from "./request-context.js";

export const identityQuery = z.object({
  product: z.enum(["jira", "confluence"], "Must be jira or confluence.").nullable().default(null),
  audience: audienceField.nullable().default(null),
});

/**
 * `GET /api/v1/sites/{site}/identity`, in front of Express: no browser middleware has any business here, and
 * leaving it out makes the call several times cheaper.
 */
export class ServiceApi {
  readonly #ctx: AppContext;
  readonly #prefix: string;

  constructor(ctx: AppContext) {
    this.#ctx = ctx;
    this.#prefix = `${ctx.config.basePath}/api/v1/sites/`;
  }

  handles(path: string): boolean {
    return path.startsWith(this.#prefix);
  }

  /** Throws every refusal; the server turns it into problem+json. */
  async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    this.#refuseFloods(req);
    const [path = "", ...query] = (req.url ?? "").split("?");
    const [site = "", action, ...rest] = path.slice(this.#prefix.length).split("/");
    if (action !== "identity" || rest.length > 0) throw new NotFoundError();
    if (req.method !== "GET" && req.method !== "HEAD") {
      throw new AppError("method_not_allowed", "Use GET.", { extras: { allow: ["GET", "HEAD"] } });
    }
    refuseBrowsers(req);
    const token = requireAccessJwt(req);
    const question = {
      // An impossible host is told apart from an unknown one no more than two unknown ones are.
      site: parseSite(decodeComponent(site)) ?? "",
      // An empty audience is refused, not ignored: a service whose own AUD tag got lost must not take anybody's tokens.
      ...parseWith(identityQuery, readQuery(query.join("?"))),
    };
    const person = await this.#ctx.identities.identify(token, question).catch((error: unknown) => {
      // Anything but a 401 is told only to whoever brings a token that counts here.
      if (error instanceof AppError && error.status !== 401) noteCallerKnown(req);
      throw error;
    });
    const body = JSON.stringify(presentIdentity(person));
    res.writeHead(200, {
      "Content-Type": "application/json; charset=utf-8",
      "Content-Length": Buffer.byteLength(body),
    });
    res.end(req.method === "HEAD" ? undefined : body);
  }

  /** Visitors who have been let in before are served on, whatever else comes from their tool's address. */
  #refuseFloods(req: IncomingMessage): void {
    try {
      this.#ctx.limits.requireFewForgeries(getRequestContext(req));
    } catch (error) {
      if (!this.#isOfKnownVisitor(req)) throw error;
    }
  }

  #isOfKnownVisitor(req: IncomingMessage): boolean {
    const [token] = findAccessJwts(req);
    return token !== undefined && this.#ctx.identities.remembers(token);
  }
}

/** Security rule 16: else whoever puts the whole host behind Access makes every cross-site form act as its victim. */
function refuseBrowsers(req: IncomingMessage): void {
  const fetchSite = req.headers["sec-fetch-site"];
  if (
    req.headers.origin !== undefined ||
    req.headers["sec-fetch-mode"] === "navigate" ||
    fetchSite === "cross-site" ||
    fetchSite === "same-site"
  ) {
    throw new AppError("browser_not_allowed");
  }
}

function decodeComponent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new AppError("malformed_request", "The path has a damaged percent escape.", { cause: error });
  }
}

/** Only what the schema knows: looking up each of thousands of made-up parameters would take long. */
function readQuery(text: string): Record<string, string | string[]> {
  const query = new URLSearchParams(text);
  return Object.fromEntries(
    Object.keys(identityQuery.shape).flatMap((name) => {
      const [value, ...more] = query.getAll(name);
      return value === undefined ? [] : [[name, more.length === 0 ? value : [value, ...more]]];
    }),
  );
}
