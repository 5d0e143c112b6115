import type { Router, Request } from "express";
import { z } from "zod";

import type { AppContext, SignedRequest } from "../app-context.js";
import type { Initiator } from "../audit/audit-log.js";
import { AppError, ValidationError } from "../errors.js";
import { parseWith } from "../field-errors.js";
import { sha256Hex } from "../identifiers.js";
import { parseHostBaseUrl, type AllowedHosts } from "../tenants/site.js";
import type { EventToken, InstallBody } from "../tenants/tenant-lifecycle.js";
import { requireConnectJwt } from "./callers.js";
import { createInitiator } from "./create-initiator.js";
import { createRouter } from "./create-router.js";
import { jsonBody } from "./json-body.js";
import { methodNotAllowed } from "./method-not-allowed.js";
import { getRequestContext, noteCallerKnown } from "./request-context.js";

const line = (maxLength: number) =>
  z.string("Must be text.").min(1, "Must not be empty.").max(maxLength, "Too long.");

const eventBody = z.looseObject(
  { key: line(64), clientKey: line(255), eventType: line(64).optional() },
  "Must be an object.",
);

const installBody = eventBody.extend({
  sharedSecret: line(1024),
  baseUrl: line(1024),
  productType: z.enum(["jira", "confluence"], "Must be jira or confluence."),
  oauthClientId: line(1024).nullish(),
});

/** `POST /installed`, `/uninstalled`, `/enabled`, `/disabled`: signed by Atlassian; 204. */
export function createLifecycleRoutes(ctx: AppContext): Router {
  const router = createRouter();
  const hosts: AllowedHosts = { patterns: ctx.config.connectHosts, allowsLoopback: !ctx.config.isProduction };

  router
    .route("/installed")
    .post(jsonBody(), async (req, res) => {
      const token = await requireInstallToken(ctx, req);
      const body = parseEvent(installBody, req, token, ctx.config.connectAppKey, "installed");
      const tenant = await ctx.tenants.install(
        token,
        readInstallBody(body, hosts),
        hashBody(req),
        byHost(req),
      );
      res.sendStatus(204);
      void ctx.proof.prove(tenant);
    })
    .all(methodNotAllowed("POST"));

  router
    .route("/uninstalled")
    .post(jsonBody(), async (req, res) => {
      const token = await requireInstallToken(ctx, req);
      parseEvent(eventBody, req, token, ctx.config.connectAppKey, "uninstalled");
      await ctx.tenants.uninstall(token, hashBody(req), byHost(req));
      res.sendStatus(204);
    })
    .all(methodNotAllowed("POST"));

  for (const eventType of ["enabled", "disabled"] as const) {
    router
      .route(`/${eventType}`)
      .post(jsonBody(), async (req, res) => {
        const token = await ctx.hostTokens.verifyToggleEvent(requireConnectJwt(req), signedRequest(req));
        noteCallerKnown(req);
        parseEvent(eventBody, req, token, ctx.config.connectAppKey, eventType);
        await ctx.tenants.setEnabled(token, hashBody(req), eventType === "enabled", byHost(req));
        res.sendStatus(204);
      })
      .all(methodNotAllowed("POST"));
  }
  return router;
}

async function requireInstallToken({ hostTokens }: AppContext, req: Request): Promise<EventToken> {
  const token = await hostTokens.verifyInstallEvent(requireConnectJwt(req), signedRequest(req));
  noteCallerKnown(req);
  return token;
}

function signedRequest(req: Request): SignedRequest {
  return { method: req.method, target: req.originalUrl, caller: getRequestContext(req).ip ?? "" };
}

/** The body is unsigned: it must at least name the tenant that the token vouches for, this app, and this event. */
function parseEvent<T extends typeof eventBody>(
  schema: T,
  req: Request,
  token: EventToken,
  appKey: string,
  eventType: string,
): z.output<T> {
  const body = parseWith(schema, req.body);
  if (body.clientKey !== token.clientKey) {
    throw new AppError("connect_jwt_invalid", "The body names another installation than the token.");
  }
  if (body.key !== appKey) throw ValidationError.of("key", "This event is for another app.");
  if (body.eventType !== undefined && body.eventType !== eventType) {
    throw ValidationError.of("eventType", `This path takes ${eventType} events.`);
  }
  return body;
}

function readInstallBody(body: z.output<typeof installBody>, hosts: AllowedHosts): InstallBody {
  const address = parseHostBaseUrl(body.baseUrl, body.productType, hosts);
  if (!address)
    throw ValidationError.of("baseUrl", `${body.productType} of this host may not install the app.`);
  return {
    ...address,
    product: body.productType,
    sharedSecret: body.sharedSecret,
    oauthClientId: body.oauthClientId ?? null,
  };
}

function hashBody(req: Request): string {
  return sha256Hex(JSON.stringify(req.body));
}

function byHost(req: Request): Initiator {
  return createInitiator(req, { type: "host", accountId: null });
}
