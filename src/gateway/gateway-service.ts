import type { Readable } from "node:stream";

import type { AuditLog } from "../audit/audit-log.js";
import type { LinkUses } from "../links/link-uses.js";
import type { ServiceCredentials } from "../links/service-credentials.js";
import { ActingRecord, type ActingEnd } from "./acting-record.js";
import {
  CallJudge,
  type CallJudgeDependencies,
  type GatewayRequest,
  type PermittedCall,
} from "./call-judge.js";
import { CallWatch } from "./call-watch.js";
import type { SentHeaders } from "./header-policy.js";
import type { ProductAnswer, ProductCalls } from "./product-calls.js";
import type { UserTokenRequest } from "./user-token-grant.js";
import type { UserTokens } from "./user-tokens.js";

export interface ActingCall extends PermittedCall {
  /** Open: whoever has the call made closes it. */
  readonly record: ActingRecord;
}

export interface Passage {
  readonly headers: SentHeaders;
  /** Called once the person's token is there; null when there is no body. */
  readonly openBody: () => Readable | null;
  readonly signal: AbortSignal;
  /** Passes the product's own answer on, until it is over. */
  readonly relay: (answer: ProductAnswer) => Promise<BrokenOff>;
}

/** Who broke an answer off: nobody, whoever gave it, or whoever was to get it. */
export type BrokenOff = null | "upstream_failed" | "caller_left";

interface Dependencies extends CallJudgeDependencies {
  readonly linkUses: LinkUses;
  readonly audit: AuditLog;
  readonly userTokens: UserTokens;
  readonly products: ProductCalls;
}

/** Lets a trusted service call Jira or Confluence as the person whose Access JWT it holds. */
export class GatewayService {
  readonly #deps: Dependencies;
  readonly #judge: CallJudge;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#judge = new CallJudge(deps);
  }

  /** Throws the contract's refusals in the contract's order, and `store_unavailable` when it couldn't be recorded. */
  async authorize(credentials: ServiceCredentials, request: GatewayRequest): Promise<ActingCall> {
    const call = await this.#judge.permit(credentials, request);
    this.#deps.linkUses.note(call.link);
    return { ...call, record: this.#openRecord(call) };
  }

  #openRecord(call: PermittedCall): ActingRecord {
    const { serviceUses, audit } = this.#deps;
    const { tenant, service, link, request } = call;
    const actor = { type: "service", accountId: link.accountId } as const;
    const initiator = { actor, ip: request.caller.ip, reference: request.reference };
    try {
      return new ActingRecord(audit, serviceUses, initiator, { ...call, method: request.method });
    } catch (error) {
      serviceUses.countRefusal(tenant.id, service, error);
      throw error;
    }
  }

  /**
   * Throws what obtaining the person's token and the connection fail with, and, as long as nothing of the answer is
   * out, what is said about the call by then: what was taken back meanwhile ends it.
   */
  async act(call: ActingCall, passage: Passage): Promise<ActingEnd> {
    const watch = new CallWatch(() => this.#judge.requireStillPermitted(call));
    const signal = AbortSignal.any([passage.signal, watch.signal]);
    try {
      const { status, headers, body } = await this.#askProduct(call, { ...passage, signal }, watch);
      const brokenOff = await passage.relay({ status, headers, body });
      return {
        status,
        code: brokenOff === "upstream_failed" && watch.refusal ? watch.refusal.code : brokenOff,
      };
    } finally {
      watch.stop();
    }
  }

  async #askProduct(call: ActingCall, passage: Passage, watch: CallWatch): Promise<ProductAnswer> {
    const first = await this.#send(call, passage, watch);
    // What has been streamed away can't be sent again.
    if (!first.isTokenForgotten || first.hadBody) return first.answer;
    first.answer.body.destroy();
    await watch.requirePermitted();
    return (await this.#send(call, passage, watch)).answer;
  }

  async #send(
    { tenant, service, link: { accountId }, record, request: { method, target, scope } }: ActingCall,
    { headers, signal, openBody }: Passage,
    watch: CallWatch,
  ): Promise<{
    readonly answer: ProductAnswer;
    readonly hadBody: boolean;
    readonly isTokenForgotten: boolean;
  }> {
    const { userTokens, products } = this.#deps;
    const whose = { tenant, accountId, scope };
    const token = userTokens.findToken(whose) ?? (await this.#obtainToken(whose, watch));
    const body = openBody();
    const caller = { serviceId: service.id, accountId };
    const onSending = () => {
      record.noteSent();
    };
    try {
      const call = { tenant, caller, method, target, headers, token, body, signal, onSending };
      const answer = await products.send(call);
      const isTokenForgotten = answer.status === 401 && userTokens.forgetRejected(whose, token);
      return { answer, hadBody: body !== null, isTokenForgotten };
    } catch (error) {
      body?.destroy();
      throw error;
    }
  }

  /** Waiting for it may take long: what counts is read again. */
  async #obtainToken(whose: UserTokenRequest, watch: CallWatch): Promise<string> {
    const token = await this.#deps.userTokens.getToken(whose);
    await watch.requirePermitted();
    return token;
  }
}
