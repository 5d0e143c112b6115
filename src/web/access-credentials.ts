import type { IncomingMessage } from "node:http";

import { AppError } from "../errors.js";

/** The Access JWT of a request, from either of the two headers that may carry it; never from a cookie. */
export function requireAccessJwt(req: IncomingMessage): string {
  const bearer = (req.headersDistinct["authorization"] ?? []).flatMap(
    (value) => /^Bearer +(?<token>\S.*)$/i.exec(value)?.groups?.["token"]?.trim() ?? [],
  );
  const tokens = new Set([...(req.headersDistinct["cf-access-jwt-assertion"] ?? []), ...bearer]);
  tokens.delete("");
  if (tokens.size > 1) throw new AppError("ambiguous_credentials");
  const [token] = tokens;
  if (token === undefined) throw new AppError("access_jwt_missing");
  return token;
}
