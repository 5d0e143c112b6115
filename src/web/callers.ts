import type { Request } from "express";

import type { Credentials } from "../app-context.js";
import { AppError } from "../errors.js";
import { getRequestContext } from "./request-context.js";

type Scheme = Credentials["scheme"];

const PATTERNS: Readonly<Record<Scheme, RegExp>> = {
  JWT: /^JWT +(?<token>\S+)$/i,
  Bearer: /^Bearer +(?<token>\S+)$/i,
};

/** Of a page's call. Where the app isn't deployed to Forge, a bearer token is nobody's. */
export function requireCredentials(req: Request, { forge }: { readonly forge: object | null }): Credentials {
  const { scheme, token } = requireToken(req, forge === null ? ["JWT"] : ["JWT", "Bearer"]);
  return {
    scheme,
    token,
    userToken: scheme === "Bearer" ? findOnlyHeader(req, "x-forge-oauth-user") : null,
    reference: getRequestContext(req).reference,
  };
}

/** The one place where a Connect JWT may stand on the API and in lifecycle events: `Authorization: JWT <token>`. */
export function requireConnectJwt(req: Request): string {
  return requireToken(req, ["JWT"]).token;
}

/** Of a trigger's call: `Authorization: Bearer <token>`. */
export function requireForgeJwt(req: Request): string {
  return requireToken(req, ["Bearer"]).token;
}

/** Of two headers it can't be told which was meant. */
export function findOnlyHeader(req: Request, name: string): string | null {
  const [value, ...others] = req.headersDistinct[name] ?? [];
  return value === undefined || value === "" || others.length > 0 ? null : value;
}

function requireToken(req: Request, schemes: readonly Scheme[]): { scheme: Scheme; token: string } {
  const values = req.headersDistinct["authorization"] ?? [];
  const [found] = values.flatMap((value) =>
    schemes.flatMap((scheme) => {
      const token = PATTERNS[scheme].exec(value)?.groups?.["token"];
      return token === undefined ? [] : [{ scheme, token }];
    }),
  );
  const inQuery = req.query["jwt"];
  if (!found) throw new AppError("connect_jwt_missing");
  const isAlone = inQuery === undefined || (found.scheme === "JWT" && inQuery === found.token);
  if (values.length > 1 || !isAlone) throw new AppError("ambiguous_credentials");
  return found;
}
