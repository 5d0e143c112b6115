import type { IncomingMessage, ServerResponse } from "node:http";

import type { AppContext } from "../app-context.js";
import { AppError } from "../errors.js";
import { createAnswerHeaders } from "../gateway/answer-headers.js";
import type { ActingCall } from "../gateway/gateway-service.js";
import { GATEWAY_HEADERS, selectRequestHeaders } from "../gateway/header-policy.js";
import { findScope } from "../gateway/user-token-grant.js";
import { requireAccessJwt } from "./access-credentials.js";
import type { GatewayRoute } from "./gateway-route.js";
import { relayAnswer } from "./relay-answer.js";
import { getRequestContext, noteCallerKnown, noteService } from "./request-context.js";
import { abortWhenGone, openRequestBody } from "./request-stream.js";
import { noteUnlessStranger, readSite, refuseBrowsers } from "./service-calls.js";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** `ANY /api/v1/sites/{site}/jira|confluence/{path}`: the product's own answer, as the person whose token was sent. */
export class GatewayHandler {
  readonly #ctx: AppContext;

  constructor(ctx: AppContext) {
    this.#ctx = ctx;
  }

  async handle(
    req: IncomingMessage,
    res: ServerResponse,
    route: GatewayRoute,
    acceptBody: () => void,
  ): Promise<void> {
    for (const [name, value] of Object.entries(GATEWAY_HEADERS)) res.setHeader(name, value);
    const signal = abortWhenGone(res);
    try {
      const call = await this.#authorize(req, route);
      const openBody = () => {
        acceptBody();
        return openRequestBody(req);
      };
      const headers = selectRequestHeaders(req.headers);
      const answer = await this.#ctx.gateway.act(call, { headers, openBody, signal });
      await relayAnswer(req, res, { ...answer, headers: this.#answerHeaders(answer.headers, call) });
    } catch (error) {
      // A body that nobody has read may be of any length, and isn't waited for.
      if (!req.complete) res.shouldKeepAlive = false;
      throw error;
    }
  }

  async #authorize(req: IncomingMessage, { site, target }: GatewayRoute): Promise<ActingCall> {
    refuseBrowsers(req);
    const method = req.method ?? "";
    const scope = findScope(method);
    if (scope === null) {
      const extras = { allow: METHODS };
      throw new AppError("method_not_allowed", `Use ${METHODS.join(", ")}.`, { extras });
    }
    const token = requireAccessJwt(req);
    const caller = getRequestContext(req);
    const request = { site: readSite(site), method, scope, target, caller };
    const call = await noteUnlessStranger(req, this.#ctx.gateway.authorize(token, request));
    noteCallerKnown(req);
    noteService(req, call.service.id);
    return call;
  }

  #answerHeaders(
    headers: Parameters<typeof createAnswerHeaders>[0],
    { tenant, request: { target } }: ActingCall,
  ): ReturnType<typeof createAnswerHeaders> {
    const gatewayUrl = `${this.#ctx.config.baseUrl}/api/v1/sites/${tenant.site}/${tenant.product}`;
    return createAnswerHeaders(headers, { target, productUrl: tenant.baseUrl, gatewayUrl });
  }
}
