import type { RequestHandler, Router } from "express";
import { z } from "zod";

import type { AppContext } from "../app-context.js";
import { parseWith } from "../field-errors.js";
import { signOutUrlOfTeam } from "../team-domain.js";
import { createRouter } from "./create-router.js";
import { getInitiator, getUser, requireUser } from "./host-user.js";
import { jsonBody } from "./json-body.js";
import { methodNotAllowed } from "./method-not-allowed.js";
import { presentActivity, presentAssertion, presentLink, presentMe, presentPage } from "./presenters.js";
import { activityQuery, parseQuery, timeField } from "./query.js";

const field = (maxLength: number) =>
  z.string("Must be text.").min(1, "Must not be empty.").max(maxLength, "Too long.");

export const linkRequest = z.union(
  [z.strictObject({ attempt: field(64), code: field(64) }), z.strictObject({ accessJwt: field(16_384) })],
  "Send either attempt and code, or accessJwt.",
);

export const confirmRequest = z.strictObject({ email: field(320) }, "Must be an object.");

export const newsSeenRequest = z.strictObject({ until: timeField }, "Must be an object.");

export const consentRequest = z.strictObject(
  {
    digest: z
      .string("Must be text.")
      .regex(/^[0-9a-f]{64}$/, "Must be the digest of what was shown: 64 characters from 0-9 and a-f."),
  },
  "Must be an object.",
);

export const assertionRequest = z.strictObject({ serviceId: field(64) }, "Must be an object.");

export function createMeRoutes(ctx: AppContext): Router {
  const router = createRouter();
  router.use(requireUser(ctx));

  router
    .route("/")
    .get(async (req, res) => {
      const user = getUser(req);
      const settings = await ctx.settings.get(user.tenant.id);
      const { displayName } = await ctx.host.findAccount(user.tenant, user.accountId);
      const team = settings.teamDomain;
      const signOutUrl = team === null ? null : signOutUrlOfTeam(team, ctx.config.accessOriginOverrides);
      const now = ctx.clock.now();
      const links = await ctx.links.listOfAccount(user);
      const services = await ctx.consents.listOfAccount(user, settings);
      const uses = await ctx.sight.listUses(user);
      const news = await ctx.sight.listNews(user, settings, { links, uses }, now);
      const about = { displayName, signOutUrl, now };
      res.json(presentMe(user, settings, { links, services, uses, news }, about));
    })
    .all(methodNotAllowed("GET", "HEAD"));

  router
    .route("/link-attempts")
    .post(async (req, res) => {
      const { id, expiresAt } = await ctx.attempts.begin(getUser(req));
      const url = `${ctx.config.baseUrl}/link/start/${id}`;
      res.status(201).json({ id, url, expiresAt: expiresAt.toISOString() });
    })
    .all(methodNotAllowed("POST"));

  router
    .route("/links")
    .post(limitProofs(ctx), jsonBody(), async (req, res) => {
      const proof = parseWith(linkRequest, req.body);
      const { link, isNew } =
        "accessJwt" in proof
          ? await ctx.links.linkWithToken(getUser(req), proof.accessJwt, getInitiator(req))
          : await ctx.attempts.redeem(getUser(req), proof.attempt, proof.code, getInitiator(req));
      res.status(isNew ? 201 : 200).json(presentLink(link, ctx.clock.now()));
    })
    .all(methodNotAllowed("POST"));

  router
    .route("/links/:id")
    .delete(async (req, res) => {
      await ctx.links.removeOwn(getUser(req), req.params.id, getInitiator(req));
      res.sendStatus(204);
    })
    .all(methodNotAllowed("DELETE"));

  router
    .route("/links/:id/confirm")
    .post(jsonBody(), async (req, res) => {
      const { email } = parseWith(confirmRequest, req.body);
      const link = await ctx.links.confirm(getUser(req), req.params.id, email, getInitiator(req));
      res.json(presentLink(link, ctx.clock.now()));
    })
    .all(methodNotAllowed("POST"));

  router
    .route("/news/seen")
    .post(jsonBody(), async (req, res) => {
      const { until } = parseWith(newsSeenRequest, req.body);
      await ctx.sight.markSeen(getUser(req), until);
      res.sendStatus(204);
    })
    .all(methodNotAllowed("POST"));

  router
    .route("/activity")
    .get(async (req, res) => {
      const page = parseQuery(activityQuery, req.query);
      res.json(presentPage(await ctx.sight.listActivity(getUser(req), page), presentActivity));
    })
    .all(methodNotAllowed("GET", "HEAD"));

  router
    .route("/consents/:serviceId")
    .put(jsonBody(), async (req, res) => {
      const { digest } = parseWith(consentRequest, req.body);
      await ctx.consents.agree(getUser(req), req.params.serviceId, digest, getInitiator(req));
      res.sendStatus(204);
    })
    .delete(async (req, res) => {
      await ctx.consents.withdraw(getUser(req), req.params.serviceId, getInitiator(req));
      res.sendStatus(204);
    })
    .all(methodNotAllowed("PUT", "DELETE"));

  router
    .route("/assertions")
    .post(jsonBody(), async (req, res) => {
      const { serviceId } = parseWith(assertionRequest, req.body);
      const assertion = await ctx.assertions.issue(getUser(req), serviceId, getInitiator(req));
      res.status(201).json(presentAssertion(assertion));
    })
    .all(methodNotAllowed("POST"));

  return router;
}

/** Whoever hands in codes may be guessing them. */
function limitProofs({ limits }: AppContext): RequestHandler {
  return (req, _res, next) => {
    limits.consumeProof(getUser(req));
    next();
  };
}
