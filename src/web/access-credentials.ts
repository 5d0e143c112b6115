import type { IncomingMessage } from "node:http";

import { AppError } from "../errors.js";
import type { ServiceCredentials } from "../links/service-credentials.js";

/** Of a service's call. The Access JWT may stand in either of two headers, and never in a cookie. */
export function requireServiceCredentials(req: IncomingMessage): ServiceCredentials {
  const [serviceKey = null, ...others] = req.headersDistinct["x-service-key"] ?? [];
  // Of two keys it can't be told which was meant.
  return { accessJwt: requireOne(findAccessJwts(req)), serviceKey: others.length === 0 ? serviceKey : null };
}

export function findAccessJwts(req: IncomingMessage): readonly string[] {
  const bearer = (req.headersDistinct["authorization"] ?? []).flatMap(
    (value) => /^Bearer +(?<token>\S.*)$/i.exec(value)?.groups?.["token"]?.trim() ?? [],
  );
  return [...readAssertions(req), ...bearer];
}

/** The Access JWT that Access itself has put on a browser's request, and nothing that a browser could send. */
export function requireAccessAssertion(req: IncomingMessage): string {
  return requireOne(readAssertions(req));
}

function readAssertions(req: IncomingMessage): readonly string[] {
  return req.headersDistinct["cf-access-jwt-assertion"] ?? [];
}

function requireOne(sent: readonly string[]): string {
  const tokens = new Set(sent);
  tokens.delete("");
  if (tokens.size > 1) throw new AppError("ambiguous_credentials");
  const [token] = tokens;
  if (token === undefined) throw new AppError("access_jwt_missing");
  return token;
}
