import type { Request, RequestHandler } from "express";

import type { AppContext } from "../app-context.js";
import type { Initiator } from "../audit/audit-log.js";
import { AppError } from "../errors.js";
import type { HostDirectory } from "../tenants/host-directory.js";
import type { HostUser } from "../tenants/tenant.js";
import { createInitiator } from "./create-initiator.js";

type Door = Pick<AppContext, "hostTokens" | "host">;

const users = new WeakMap<Request, HostUser>();

/** Lets in a person who is signed in to Jira or Confluence, as a context JWT proves. */
export function requireUser({ hostTokens, host }: Door): RequestHandler {
  return async (req, _res, next) => {
    const user = await hostTokens.verifyContext(requireConnectJwt(req));
    await requirePerson(host, user);
    users.set(req, user);
    next();
  };
}

/** security rule 1: pages and links are for people, not for apps and portal customers. */
export async function requirePerson(host: HostDirectory, { tenant, accountId }: HostUser): Promise<void> {
  const { standing } = await host.findAccount(tenant, accountId);
  if (standing === "inactive" || standing === "not_a_person") throw new AppError("account_inactive");
}

/** Lets in whom the product itself calls an admin, now. */
export function requireAdmin({ hostTokens, host }: Door): RequestHandler {
  return async (req, _res, next) => {
    const user = await hostTokens.verifyContext(requireConnectJwt(req));
    if (!(await host.isAdmin(user.tenant, user.accountId))) throw new AppError("not_admin");
    users.set(req, user);
    next();
  };
}

/** Whom the guard of this route let in. */
export function getUser(req: Request): HostUser {
  const user = users.get(req);
  if (!user) throw new Error("This route has no guard.");
  return user;
}

export function getInitiator(req: Request): Initiator {
  return createInitiator(req, { type: "user", accountId: getUser(req).accountId });
}

/** The one place where a Connect JWT may stand on the API and in lifecycle events: `Authorization: JWT <token>`. */
export function requireConnectJwt(req: Request): string {
  const values = req.headersDistinct["authorization"] ?? [];
  const tokens = values.flatMap((value) => /^JWT +(?<token>\S+)$/i.exec(value)?.groups?.["token"] ?? []);
  const inQuery = req.query["jwt"];
  const [token] = tokens;
  if (token === undefined) throw new AppError("connect_jwt_missing");
  if (values.length > 1 || (inQuery !== undefined && inQuery !== token))
    throw new AppError("ambiguous_credentials");
  return token;
}
