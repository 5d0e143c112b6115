import { AccessFront } from "./access/access-front.js";
import { AccessLiveCheck } from "./access/access-live-check.js";
import { AccessJwtVerifier } from "./access/access-jwt-verifier.js";
import { TeamKeyCache } from "./access/team-key-cache.js";
import type { AppContext } from "./app-context.js";
import { AssertionKeys } from "./assertions/assertion-keys.js";
import { AssertionService } from "./assertions/assertion-service.js";
import { AuditLog } from "./audit/audit-log.js";
import { systemClock } from "./clock.js";
import { ConfigError, type Config, type Secrets } from "./config/config.js";
import { isKeyFileOpenToOthers, loadOrCreateEncryptionKeyFile } from "./config/encryption-key-file.js";
import { createAce } from "./connect/ace.js";
import { createConnectAccountPageUrl } from "./connect/connect-pages.js";
import { ConnectHostDirectory } from "./connect/connect-host-directory.js";
import { ConnectVerifier } from "./connect/connect-verifier.js";
import { HostClient } from "./connect/host-client.js";
import { ImpersonationGrant } from "./connect/impersonation-grant.js";
import { InstallKeys } from "./connect/install-keys.js";
import { ConsentService } from "./consents/consent-service.js";
import { CLOSED_DOOR, createCallers, joinDoors, type DoorParts } from "./doors.js";
import { createForgeDoor } from "./forge/create-forge-door.js";
import { GatewayService } from "./gateway/gateway-service.js";
import { UserTokens } from "./gateway/user-tokens.js";
import { MemberSight } from "./gateway/member-sight.js";
import { Housekeeping } from "./housekeeping.js";
import { IdentityService } from "./links/identity-service.js";
import { LinkAttemptService } from "./links/link-attempt-service.js";
import { LinkService } from "./links/link-service.js";
import { LinkUses } from "./links/link-uses.js";
import { TrustingTenants } from "./links/trusting-tenants.js";
import type { Logger } from "./logger.js";
import { Limits, type Rates } from "./web/limits.js";
import { createMetrics } from "./web/metrics.js";
import { ProductStream } from "./products/product-stream.js";
import { ServiceKeys } from "./services/service-keys.js";
import { ServiceUses } from "./services/service-uses.js";
import { SettingsService } from "./services/settings-service.js";
import { JoseAssertionSigner } from "./signing/jose-assertion-signer.js";
import { DatabaseTooNewError } from "./storage/migrate.js";
import { openDatabase, type OpenDatabase } from "./storage/open-database.js";
import { EncryptionKeyError } from "./storage/encryption-key-error.js";
import { NO_SUCCESSION } from "./tenants/succession.js";
import { TenantLifecycle } from "./tenants/tenant-lifecycle.js";
import type { TenantMemory } from "./tenants/tenant-memory.js";
import { TenantProof } from "./tenants/tenant-proof.js";

/** Opens, migrates and checks the database. Throws ConfigError when these keys, or this version of the app, don't fit it. */
export async function openAppDatabase(
  config: Config,
  secrets: Secrets,
  logger: Logger,
): Promise<OpenDatabase> {
  const encryptionKeys = secrets.encryptionKeys ?? loadOrCreateEncryptionKeyFile(config.databaseFile);
  try {
    const database = await openDatabase({
      file: config.databaseFile,
      encryptionKeys,
      clock: systemClock,
      logger,
    });
    if (secrets.encryptionKeys === null) {
      logger.info(
        { keyFile: `${config.databaseFile}.key` },
        "secrets are encrypted with the key in this file: keep a copy of it apart from the database",
      );
      if (isKeyFileOpenToOthers(config.databaseFile)) {
        logger.warn(
          { keyFile: `${config.databaseFile}.key` },
          "other users of this machine can use this key file: give it mode 600",
        );
      }
    }
    return database;
  } catch (error) {
    if (error instanceof EncryptionKeyError || error instanceof DatabaseTooNewError)
      throw new ConfigError([error.message], { cause: error });
    throw error;
  }
}

/** Joins the parts. The only file that knows every one of them. */
export async function createContext(
  config: Config,
  secrets: Secrets,
  logger: Logger,
  rates: Rates,
): Promise<AppContext> {
  const clock = systemClock;
  const database = await openAppDatabase(config, secrets, logger);
  const { tenants, settings: settingsOfTenants } = database.read;
  const findInstallation = (clientKey: string) => tenants.findInstallation(clientKey);
  const findInstallationByTenant = (tenantId: string) => tenants.findInstallationByTenant(tenantId);

  const teamKeys = new TeamKeyCache({ clock, logger, originOverrides: config.accessOriginOverrides });
  const accessJwts = new AccessJwtVerifier({
    clock,
    keys: teamKeys,
    isTrustedTeam: (teamDomain) => settingsOfTenants.isTrustedTeam(teamDomain),
  });

  const liveCheck = new AccessLiveCheck({ clock, originOverrides: config.accessOriginOverrides });
  const popupFront = new AccessFront({
    clock,
    baseUrl: config.baseUrl,
    originOverrides: config.accessOriginOverrides,
  });

  const ace = createAce({ appKey: config.connectAppKey, baseUrl: config.baseUrl, findInstallation });
  const hostTokens = new ConnectVerifier({
    clock,
    baseUrl: config.baseUrl,
    basePath: config.basePath,
    findInstallation,
    installKeys: new InstallKeys({ clock, logger, cdnUrls: config.connectKeysUrls }),
  });
  const connectHost = new ConnectHostDirectory({
    hostClient: new HostClient({ ace }),
    appKey: config.connectAppKey,
    clock,
    logger,
    findInstallationByTenant,
    onAccepted: (tenant) => proof.markProven(tenant),
  });

  const audit = new AuditLog({ clock, reader: database.read.audit });
  const connect: DoorParts = {
    host: connectHost,
    grant: new ImpersonationGrant({ clock, oauthUrl: config.atlassianOauthUrl, findInstallationByTenant }),
    accountPageUrl: (tenant, entry) => createConnectAccountPageUrl(config.connectAppKey, tenant, entry),
    claimSite: (tenant) => connectHost.acceptsInstallation(tenant),
    succession: NO_SUCCESSION,
  };
  const forge =
    config.forge &&
    createForgeDoor(
      {
        ...config.forge,
        apiUrl: config.atlassianApiUrl,
        hosts: { patterns: config.connectHosts, allowsLoopback: !config.isProduction },
      },
      {
        ...{ database, audit, clock, logger },
        memory: { forgetTenant: (tenantId) => memory.forgetTenant(tenantId) },
        hasEnded: (rival) => connectHost.refusesInstallation(rival),
        isAdminThere: (rival, accountId) => connectHost.isAdmin(rival, accountId),
        prove: (tenant) => proof.prove(tenant),
      },
    );
  const { host, grant, accountPageUrl, claimSite, succession } = joinDoors({
    connect,
    forge: forge ?? CLOSED_DOOR,
  });
  const proof: TenantProof = new TenantProof({
    database,
    host: { isAdmin: (tenant, accountId) => host.isAdmin(tenant, accountId), acceptsInstallation: claimSite },
    clock,
    logger,
  });
  const serviceUses = new ServiceUses({ database, clock, logger });
  const linkUses = new LinkUses({ database, clock, logger });
  const asking = {
    database,
    accessJwts,
    trusting: new TrustingTenants({ database, proof }),
    linkUses,
    serviceUses,
    audit,
    clock,
    accountPageUrl,
  };
  const products = new ProductStream();
  const userTokens = new UserTokens({ clock, grant, host });
  const memory: TenantMemory = {
    forgetTenant: (tenantId) => {
      userTokens.forgetTenant(tenantId);
      serviceUses.forgetTenant(tenantId);
    },
    forgetAccount: (tenantId, accountId) => userTokens.forgetAccount(tenantId, accountId),
  };
  const links = new LinkService({ database, audit, accessJwts, memory, clock });
  const signer = new JoseAssertionSigner();
  const assertionKeys = new AssertionKeys({ database, signer, audit, clock, logger });
  const assertions = new AssertionService({
    ...asking,
    keys: assertionKeys,
    signer,
    baseUrl: config.baseUrl,
  });
  const housekeeping = new Housekeeping({
    ...{ database, assertionKeys, clock, logger },
    forge: forge?.lifecycle ?? null,
  });

  return {
    config,
    metricsToken: secrets.metricsToken,
    metrics: createMetrics(),
    limits: new Limits(clock, rates),
    clock,
    logger,
    descriptor: ace.descriptor,
    hostTokens,
    callers: createCallers({ connect: hostTokens, forge, clock }),
    forgeTriggers: forge?.lifecycle ?? null,
    host,
    tenants: new TenantLifecycle({ database, audit, memory, clock, rate: rates.lifecycle }),
    proof,
    succession,
    settings: new SettingsService({ database, audit, teamKeys, popupFront, clock }),
    serviceKeys: new ServiceKeys({ database, audit, clock }),
    serviceUses,
    links,
    consents: new ConsentService({ database, audit, memory, clock }),
    sight: new MemberSight({ database, serviceUses, audit, clock }),
    attempts: new LinkAttemptService({ database, audit, links, accessJwts, clock }),
    identities: new IdentityService(asking),
    gateway: new GatewayService({ ...asking, liveCheck, userTokens, products }),
    assertions,
    assertionKeys,
    audit,
    isReady: () => database.ping(),
    close: async () => {
      housekeeping.stop();
      await products.close();
      await linkUses.settle();
      await serviceUses.drain();
      await database.close();
    },
  };
}
