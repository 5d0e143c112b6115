import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";

import type { AppContext } from "../app-context.js";
import { AppError, NotFoundError } from "../errors.js";
import { parseWith } from "../field-errors.js";
import { audienceField } from "../services/settings-document.js";
import { findAccessJwts, requireServiceCredentials } from "./access-credentials.js";
import { GatewayHandler } from "./gateway-handler.js";
import { findGatewayRoute, type GatewayRoute } from "./gateway-route.js";
import { presentIdentity } from "./presenters.js";
import { getRequestContext } from "./request-context.js";
import { noteUnlessStranger, readSite, refuseBrowsers } from "./service-calls.js";

export const identityQuery = z.object({
  product: z.enum(["jira", "confluence"], "Must be jira or confluence.").nullable().default(null),
  audience: audienceField.nullable().default(null),
});

/**
 * `/api/v1/sites/{site}/…`, in front of Express: no browser middleware has any business here, and leaving it out makes
 * the calls several times cheaper.
 */
export class ServiceApi {
  readonly #ctx: AppContext;
  readonly #prefix: string;
  readonly #gateway: GatewayHandler;

  constructor(ctx: AppContext) {
    this.#ctx = ctx;
    this.#prefix = `${ctx.config.basePath}/api/v1/sites/`;
    this.#gateway = new GatewayHandler(ctx);
  }

  handles(path: string): boolean {
    return path.startsWith(this.#prefix);
  }

  /** Bodies pass through there, of any length and for as long as they keep coming. */
  streams(path: string): boolean {
    return this.handles(path) && this.#findGatewayRoute(path) !== null;
  }

  /** Throws every refusal; the server turns it into problem+json. */
  async handle(req: IncomingMessage, res: ServerResponse, acceptBody: () => void): Promise<void> {
    this.#refuseFloods(req);
    const target = req.url ?? "";
    const route = this.#findGatewayRoute(target);
    if (route) return this.#gateway.handle(req, res, route, acceptBody);
    acceptBody();
    const [path = "", ...query] = target.slice(this.#prefix.length).split("?");
    const [site = "", action, ...rest] = path.split("/");
    if (action !== "identity" || rest.length > 0) throw new NotFoundError();
    return this.#identify(req, res, site, query.join("?"));
  }

  #findGatewayRoute(target: string): GatewayRoute | null {
    return findGatewayRoute(target.slice(this.#prefix.length));
  }

  /** `GET /api/v1/sites/{site}/identity` */
  async #identify(req: IncomingMessage, res: ServerResponse, site: string, query: string): Promise<void> {
    if (req.method !== "GET" && req.method !== "HEAD") {
      throw new AppError("method_not_allowed", "Use GET.", { extras: { allow: ["GET", "HEAD"] } });
    }
    refuseBrowsers(req);
    const credentials = requireServiceCredentials(req);
    // An empty audience is refused, not ignored: a service whose own AUD tag got lost must not take anybody's tokens.
    const question = { site: readSite(site), ...parseWith(identityQuery, readQuery(query)) };
    const person = await noteUnlessStranger(req, this.#ctx.identities.identify(credentials, question));
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
