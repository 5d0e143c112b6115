import type { Request, Router } from "express";

import type { AppContext, ForgeTriggers } from "../app-context.js";
import type { Initiator } from "../audit/audit-log.js";
import { findOnlyHeader, requireForgeJwt } from "./callers.js";
import { createInitiator } from "./create-initiator.js";
import { createRouter } from "./create-router.js";
import { methodNotAllowed } from "./method-not-allowed.js";
import { noteCallerKnown, noteThroughForge } from "./request-context.js";

type Obey = (triggers: ForgeTriggers, token: string, req: Request) => Promise<void>;

const TRIGGERS: Readonly<Record<string, Obey>> = {
  "/forge/installed": (triggers, token, req) => triggers.install(token, findSystemToken(req), byForge(req)),
  "/forge/hourly": (triggers, token, req) => triggers.refresh(token, findSystemToken(req), byForge(req)),
  "/forge/uninstalled": (triggers, token, req) => triggers.uninstall(token, byForge(req)),
};

/** What Forge's triggers call: signed by Forge; 204. Nothing of a body is read: nobody has signed it. */
export function createForgeTriggerRoutes({ forgeTriggers }: Pick<AppContext, "forgeTriggers">): Router {
  const router = createRouter();
  if (forgeTriggers === null) return router;

  for (const [path, obey] of Object.entries(TRIGGERS)) {
    router
      .route(path)
      .post(async (req, res) => {
        const token = requireForgeJwt(req);
        noteThroughForge(req);
        await obey(forgeTriggers, token, req);
        noteCallerKnown(req);
        res.sendStatus(204);
      })
      .all(methodNotAllowed("POST"));
  }
  return router;
}

/** With which the app may call the product as itself. On other routes this header says nothing: pages could send one. */
function findSystemToken(req: Request): string | null {
  return findOnlyHeader(req, "x-forge-oauth-system");
}

function byForge(req: Request): Initiator {
  return createInitiator(req, { type: "host", accountId: null });
}
