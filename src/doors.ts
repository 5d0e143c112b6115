import type { Callers, Credentials, HostTokenVerifier } from "./app-context.js";
import type { Clock } from "./clock.js";
import { AppError } from "./errors.js";
import type { ForgeDoor } from "./forge/create-forge-door.js";
import { findTokenExpiry } from "./forge/token-expiry.js";
import type { UserTokenGrant } from "./gateway/user-token-grant.js";
import type { AccountPageUrl } from "./links/account-page.js";
import { UNKNOWN_ACCOUNT } from "./tenants/account-answer.js";
import type { HostDirectory } from "./tenants/host-directory.js";
import { NO_SUCCESSION, type Succession } from "./tenants/succession.js";
import type { Door, HostUser, Tenant } from "./tenants/tenant.js";

/** What the app does through the door that a tenant came through. */
export interface DoorParts {
  readonly host: HostDirectory;
  readonly grant: UserTokenGrant;
  readonly accountPageUrl: AccountPageUrl;
  /** Tries to prove an unproven tenant (security rule 4). */
  readonly claimSite: (tenant: Tenant) => Promise<boolean>;
  readonly succession: Succession;
}

/** One that is closed now, though tenants came through it: nobody can be asked for them. */
export const CLOSED_DOOR: DoorParts = {
  host: {
    isAdmin: () => Promise.resolve(false),
    findAccount: () => Promise.resolve(UNKNOWN_ACCOUNT),
    acceptsInstallation: () => Promise.resolve(false),
  },
  grant: { request: () => Promise.resolve({ refusal: "installation" }) },
  accountPageUrl: ({ site }) => `https://${site}/`,
  claimSite: () => Promise.resolve(false),
  succession: NO_SUCCESSION,
};

/** Both doors as one: this file alone chooses between them. */
export function joinDoors(doors: Readonly<Record<Door, DoorParts>>): DoorParts {
  return {
    host: {
      isAdmin: (tenant, accountId) => doors[tenant.door].host.isAdmin(tenant, accountId),
      findAccount: (tenant, accountId) => doors[tenant.door].host.findAccount(tenant, accountId),
      acceptsInstallation: (tenant) => doors[tenant.door].host.acceptsInstallation(tenant),
    },
    grant: { request: (request) => doors[request.tenant.door].grant.request(request) },
    accountPageUrl: (tenant, entry) => doors[tenant.door].accountPageUrl(tenant, entry),
    claimSite: (tenant) => doors[tenant.door].claimSite(tenant),
    succession: {
      findPredecessor: (user) => doors[user.tenant.door].succession.findPredecessor(user),
      takeOver: (user, version, by) => doors[user.tenant.door].succession.takeOver(user, version, by),
    },
  };
}

interface CallerParts {
  readonly connect: Pick<HostTokenVerifier, "verifyContext">;
  /** Null when it is closed. */
  readonly forge: Pick<ForgeDoor, "verifier" | "installations" | "userTokens"> | null;
  readonly clock: Clock;
}

export function createCallers({ connect, forge, clock }: CallerParts): Callers {
  return {
    identify: (credentials) => {
      if (credentials.scheme === "JWT") return connect.verifyContext(credentials.token);
      if (forge === null) throw new AppError("forge_jwt_invalid", "This app isn't deployed to Forge.");
      return identifyThroughForge(forge, clock, credentials);
    },
  };
}

async function identifyThroughForge(
  { verifier, installations, userTokens }: NonNullable<CallerParts["forge"]>,
  clock: Clock,
  { token, userToken, reference }: Credentials,
): Promise<HostUser> {
  const call = await verifier.verifyUser(token);
  const { accountId } = call;
  const by = { actor: { type: "host", accountId: null }, ip: null, reference } as const;
  const tenant = await installations.requireTenant(call, by);
  if (userToken !== null)
    userTokens.note(tenant, accountId, userToken, findTokenExpiry(userToken, clock.now()));
  return { tenant, accountId };
}
