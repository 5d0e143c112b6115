import type { Router } from "express";
import { z } from "zod";

import type { AppContext } from "../app-context.js";
import { parseWith } from "../field-errors.js";
import { createRouter } from "./create-router.js";
import { getInitiator, getUser, requireAdmin } from "./host-user.js";
import { jsonBody, optionalBody } from "./json-body.js";
import { methodNotAllowed } from "./method-not-allowed.js";
import { presentPredecessor, presentSettings, presentSigningKey } from "./presenters.js";

export const settingsCheckRequest = z.strictObject(
  { teamDomain: z.string("Must be text.").max(4096, "Too long.").nullish() },
  "Must be an object.",
);

export const takeOverRequest = z.strictObject(
  { version: z.int("Must be the version of the settings that you saw.").nonnegative("Can't be negative.") },
  "Must be an object.",
);

export function createSettingsRoutes(ctx: AppContext): Router {
  const router = createRouter();
  router.use(requireAdmin(ctx));

  router
    .route("/")
    .get(async (req, res) => {
      res.json(presentSettings(await ctx.settings.get(getUser(req).tenant.id)));
    })
    .put(jsonBody(), async (req, res) => {
      const settings = await ctx.settings.replace(getUser(req).tenant, req.body, getInitiator(req));
      res.json(presentSettings(settings));
    })
    .all(methodNotAllowed("GET", "HEAD", "PUT"));

  router
    .route("/check")
    .post(optionalBody(jsonBody()), async (req, res) => {
      const { teamDomain } = parseWith(settingsCheckRequest, req.body);
      res.json(await ctx.settings.check(getUser(req).tenant, teamDomain ?? null));
    })
    .all(methodNotAllowed("POST"));

  router
    .route("/popup-check")
    .post(async (req, res) => {
      res.json(await ctx.settings.checkPopup(getUser(req).tenant));
    })
    .all(methodNotAllowed("POST"));

  router
    .route("/assertion-keys/rotate")
    .post(async (req, res) => {
      const key = await ctx.assertionKeys.rotate(getUser(req).tenant, getInitiator(req));
      res.json(presentSigningKey(key));
    })
    .all(methodNotAllowed("POST"));

  router
    .route("/predecessor")
    .get(async (req, res) => {
      res.json(presentPredecessor(await ctx.succession.findPredecessor(getUser(req))));
    })
    .all(methodNotAllowed("GET", "HEAD"));

  router
    .route("/predecessor/take-over")
    .post(jsonBody(), async (req, res) => {
      const { version } = parseWith(takeOverRequest, req.body);
      const tenant = await ctx.succession.takeOver(getUser(req), version, getInitiator(req));
      res.json(presentSettings(await ctx.settings.get(tenant.id)));
    })
    .all(methodNotAllowed("POST"));

  return router;
}
