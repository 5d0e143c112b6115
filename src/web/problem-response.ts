import type { IncomingMessage, ServerResponse } from "node:http";

import { AppError, PROBLEMS, type ProblemCode } from "../errors.js";
import { getRequestContext, noteFailure, setFirstHeaders, type RequestContext } from "./request-context.js";
import { toAppError } from "./to-app-error.js";

export const PROBLEM_TYPE = "application/problem+json";

/** RFC 9457 §3.1.2: the status in the problem itself is the one that is meant. */
const STATUS_INSTEAD_OF_401 = 422;

/** RFC 9457 §3, with a stable `code`, a `reference`, and where it helps `errors`, `linkUrl` and `consentUrl`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  readonly reference: string;
  readonly linkUrl?: string;
  readonly consentUrl?: string;
  readonly errors?: readonly ProblemFieldError[];
}

export interface ProblemFieldError {
  readonly field: string;
  /** RFC 6901 §6: a JSON pointer as a URI fragment. */
  readonly pointer: string;
  readonly detail: string;
}

export function toProblem(
  error: unknown,
  { baseUrl, reference }: { readonly baseUrl: string; readonly reference: string },
): Problem {
  const { code, message, status, extras } = toAppError(error);
  return {
    type: `${baseUrl}/problems#${code}`,
    title: PROBLEMS[code].title,
    status,
    detail: message,
    code,
    reference,
    ...(extras.linkUrl === undefined ? {} : { linkUrl: extras.linkUrl }),
    ...(extras.consentUrl === undefined ? {} : { consentUrl: extras.consentUrl }),
    ...(extras.errors === undefined
      ? {}
      : {
          errors: extras.errors.map(({ field, detail, path }) => ({
            field,
            pointer: toPointer(path ?? splitField(field)),
            detail,
          })),
        }),
  };
}

/** Answers with a problem as JSON. What was already said can't be taken back: then the connection is cut. */
export function sendProblem(res: ServerResponse, req: IncomingMessage, error: unknown): void {
  const problem = startProblem(res, req, error);
  if (problem === null) return;
  const type = isForForge(getRequestContext(req), problem.code) ? "application/json" : PROBLEM_TYPE;
  endProblem(res, req, type, JSON.stringify(problem));
}

/**
 * Forge takes any 401 for its own token's and passes no other type of refusal on to the page. A refusal of its token is
 * the one that it should take for that.
 * https://developer.atlassian.com/platform/forge/apis-reference/ui-api-bridge/invokeRemote/
 */
function isForForge({ isThroughForge }: RequestContext, code: ProblemCode): boolean {
  return isThroughForge && !code.startsWith("forge_jwt_");
}

/** Notes the failure and sets status and headers; null when the answer has begun and there is nothing left to say. */
export function startProblem(res: ServerResponse, req: IncomingMessage, error: unknown): Problem | null {
  const context = getRequestContext(req);
  const failure = toAppError(error);
  if (res.headersSent) {
    // The answer is complete when a late error of its request comes in, as a body that never ends does.
    if (!res.writableEnded) {
      noteFailure(context, failure);
      res.destroy();
    }
    return null;
  }
  noteFailure(context, failure);
  // What a handler prepared for its own answer (a longer cache, a cookie, a length) isn't meant for this one, except
  // for the policy that lets the verified host frame the page.
  const policy = res.getHeader("Content-Security-Policy");
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  setFirstHeaders(res, context);
  if (policy !== undefined) res.setHeader("Content-Security-Policy", policy);
  const isHidden401 = failure.status === 401 && isForForge(context, failure.code);
  res.statusCode = isHidden401 ? STATUS_INSTEAD_OF_401 : failure.status;
  for (const [name, value] of Object.entries(problemHeaders(failure))) res.setHeader(name, value);
  if (isHidden401) res.removeHeader("WWW-Authenticate");
  return toProblem(failure, context);
}

export function endProblem(res: ServerResponse, req: IncomingMessage, type: string, text: string): void {
  const body = Buffer.from(text);
  res.setHeader("Content-Type", type);
  res.setHeader("Content-Length", body.length);
  const isRestUnwanted = res.statusCode === PROBLEMS.too_large.status || !res.shouldKeepAlive;
  if (isRestUnwanted && !req.complete) endAfterDiscarding(res, req, body);
  else res.end(body);
}

/** How long bytes that nobody will read are still taken in, so that the answer to them gets through. */
export const DISCARD_MS = 500;

/**
 * The rest of a body that is too large, or on a connection that ends with this answer, is never waited for. But closing
 * while its bytes still come in resets the connection, and the sender may never see the answer, so they are read and
 * thrown away for a moment (RFC 9112 §9.6).
 */
function endAfterDiscarding(res: ServerResponse, req: IncomingMessage, body: Buffer): void {
  res.shouldKeepAlive = false;
  res.write(body);
  const end = (): void => {
    clearTimeout(timer);
    if (!res.writableEnded) res.end();
  };
  const timer = setTimeout(end, DISCARD_MS);
  req.once("end", end).once("close", end).resume();
}

/** The headers that belong to a problem's status. */
export function problemHeaders({ code, status, extras }: AppError): Readonly<Record<string, string>> {
  return {
    // RFC 9110 §11.6.1: a 401 names the scheme to come back with.
    ...(status === 401 ? { "WWW-Authenticate": code.startsWith("connect_") ? "JWT" : "Bearer" } : {}),
    ...(extras.allow === undefined ? {} : { Allow: extras.allow.join(", ") }),
    ...(extras.retryAfterSeconds === undefined ? {} : { "Retry-After": String(extras.retryAfterSeconds) }),
  };
}

function splitField(field: string): readonly string[] {
  return field.split(/[.[\]]+/).filter((part) => part !== "");
}

function toPointer(path: readonly (string | number)[]): string {
  return ["#", ...path.map((part) => toPointerToken(String(part)))].join("/");
}

function toPointerToken(token: string): string {
  // Half of a surrogate pair can't be encoded; a member name from the request may hold one.
  return encodeURIComponent(
    token
      .replace(/\p{Cs}/gu, "\ufffd")
      .replaceAll("~", "~0")
      .replaceAll("/", "~1"),
  );
}
