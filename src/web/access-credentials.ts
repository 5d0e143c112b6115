import type { IncomingMessage } from "node:http";

import { AppError } from "../errors.js";

/** The Access JWT of a service's call, from either of the two headers that may carry it; never from a cookie. */
export function requireAccessJwt(req: IncomingMessage): string {
  return requireOne(findAccessJwts(req));
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
