import type { IncomingMessage, ServerResponse } from "node:http";

import type { AppContext } from "../app-context.js";
import { AppError } from "../errors.js";
import { createAnswerHeaders } from "../gateway/answer-headers.js";
import type { ActingEnd } from "../gateway/acting-record.js";
import type { ActingCall } from "../gateway/gateway-service.js";
import { GATEWAY_HEADERS, selectRequestHeaders } from "../gateway/header-policy.js";
import type { ProductAnswer } from "../gateway/product-calls.js";
import { findScope } from "../gateway/user-token-grant.js";
import { createProductUrl } from "../tenants/site.js";
import { requireServiceCredentials } from "./access-credentials.js";
import type { GatewayRoute } from "./gateway-route.js";
import { relayAnswer } from "./relay-answer.js";
import { getRequestContext, noteCallerKnown, noteService } from "./request-context.js";
import { abortWhenGone, openRequestBody } from "./request-stream.js";
import { noteUnlessStranger, readSite, refuseBrowsers } from "./service-calls.js";
import { toAppError } from "./to-app-error.js";

const CALLER_LEFT: ActingEnd = { status: null, code: "caller_left" };
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
      const relay = (answer: ProductAnswer) =>
        relayAnswer(req, res, { ...answer, headers: this.#answerHeaders(answer.headers, call) }, signal);
      const passage = { headers: selectRequestHeaders(req.headers), openBody, signal, relay };
      const end = await this.#ctx.gateway.act(call, passage).catch((error: unknown) => {
        call.record.close(signal.aborted ? CALLER_LEFT : toAppError(error));
        throw error;
      });
      call.record.close(end);
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
    const credentials = requireServiceCredentials(req);
    const caller = getRequestContext(req);
    const { reference } = caller;
    const request = { site: readSite(site), method, scope, target, caller, reference };
    const call = await noteUnlessStranger(req, this.#ctx.gateway.authorize(credentials, request));
    noteCallerKnown(req);
    noteService(req, call.service.id);
    return call;
  }

  #answerHeaders(
    headers: Parameters<typeof createAnswerHeaders>[0],
    { tenant, request: { target } }: ActingCall,
  ): ReturnType<typeof createAnswerHeaders> {
    const gatewayUrl = `${this.#ctx.config.baseUrl}/api/v1/sites/${tenant.site}/${tenant.product}`;
    const productUrls = [tenant.baseUrl, createProductUrl(tenant)] as const;
    return createAnswerHeaders(headers, { target, productUrls, gatewayUrl });
  }
}
