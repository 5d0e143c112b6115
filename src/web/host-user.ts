import type { Request, RequestHandler, Response } from "express";

import type { AppContext } from "../app-context.js";
import type { Initiator } from "../audit/audit-log.js";
import { AppError } from "../errors.js";
import type { HostDirectory } from "../tenants/host-directory.js";
import type { HostUser } from "../tenants/tenant.js";
import { requireCredentials } from "./callers.js";
import { createInitiator } from "./create-initiator.js";
import { noteCallerKnown, noteThroughForge } from "./request-context.js";

type Guarded = Pick<AppContext, "callers" | "config" | "host" | "limits" | "proof">;

const users = new WeakMap<Request, HostUser>();

/** Lets in a person who is signed in to Jira or Confluence, as a token that the product sent proves. */
export function requireUser(guarded: Guarded): RequestHandler {
  return async (req, res, next) => {
    const user = await requireCaller(guarded, req, res);
    const [asked] = await Promise.all([askForProof(guarded, user), requirePerson(guarded.host, user)]);
    users.set(req, asked);
    next();
  };
}

/** People whose site was away when the app was installed needn't wait for an admin (security rule 4). */
async function askForProof({ proof }: Guarded, user: HostUser): Promise<HostUser> {
  const { tenant } = user;
  if (tenant.proven || !(await proof.prove(tenant))) return user;
  return { ...user, tenant: { ...tenant, proven: true, suspended: false } };
}

/** security rule 1: pages and links are for people, not for apps and portal customers. */
export async function requirePerson(host: HostDirectory, { tenant, accountId }: HostUser): Promise<void> {
  const { standing } = await host.findAccount(tenant, accountId);
  if (standing === "inactive" || standing === "not_a_person") throw new AppError("account_inactive");
}

/** Lets in whom the product itself calls an admin, now. */
export function requireAdmin(guarded: Guarded): RequestHandler {
  return async (req, res, next) => {
    const user = await requireCaller(guarded, req, res);
    if (!(await guarded.host.isAdmin(user.tenant, user.accountId))) throw new AppError("not_admin");
    users.set(req, user);
    next();
  };
}

/** Who calls, as their token proves. Nothing has been asked of the product yet. */
async function requireCaller(
  { callers, config, limits }: Guarded,
  req: Request,
  res: Response,
): Promise<HostUser> {
  const credentials = requireCredentials(req, config);
  if (credentials.scheme === "Bearer") noteThroughForge(req);
  const user = await callers.identify(credentials);
  noteCallerKnown(req);
  limits.consumeCall(user);
  if (req.method !== "GET" && req.method !== "HEAD") res.once("close", limits.beginChange(user));
  return user;
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
