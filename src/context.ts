import { AccessFront } from "./access/access-front.js";
import { AccessJwtVerifier } from "./access/access-jwt-verifier.js";
import { TeamKeyCache } from "./access/team-key-cache.js";
import type { AppContext } from "./app-context.js";
import { AuditLog } from "./audit/audit-log.js";
import { systemClock } from "./clock.js";
import { ConfigError, type Config, type Secrets } from "./config/config.js";
import { isKeyFileOpenToOthers, loadOrCreateEncryptionKeyFile } from "./config/encryption-key-file.js";
import { createAce } from "./connect/ace.js";
import { ConnectHostDirectory } from "./connect/connect-host-directory.js";
import { ConnectVerifier } from "./connect/connect-verifier.js";
import { HostClient } from "./connect/host-client.js";
import { ImpersonationGrant } from "./connect/impersonation-grant.js";
import { InstallKeys } from "./connect/install-keys.js";
import { ProductStream } from "./connect/product-stream.js";
import { GatewayService } from "./gateway/gateway-service.js";
import { UserTokens } from "./gateway/user-tokens.js";
import { ConsentService } from "./gateway/consent-service.js";
import { Housekeeping } from "./housekeeping.js";
import { IdentityService } from "./links/identity-service.js";
import { LinkAttemptService } from "./links/link-attempt-service.js";
import { LinkService } from "./links/link-service.js";
import { LinkUses } from "./links/link-uses.js";
import { TrustingTenants } from "./links/trusting-tenants.js";
import type { Logger } from "./logger.js";
import { Limits, type Rates } from "./web/limits.js";
import { createMetrics } from "./web/metrics.js";
import { SettingsService } from "./services/settings-service.js";
import { DatabaseTooNewError } from "./storage/migrate.js";
import { openDatabase, type OpenDatabase } from "./storage/open-database.js";
import { EncryptionKeyError } from "./storage/encryption-key-error.js";
import type { HostDirectory } from "./tenants/host-directory.js";
import { TenantLifecycle } from "./tenants/tenant-lifecycle.js";
import { TenantProof } from "./tenants/tenant-proof.js";
import type { Tenant } from "./tenants/tenant.js";

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
  const host: HostDirectory = new ConnectHostDirectory({
    hostClient: new HostClient({ ace }),
    appKey: config.connectAppKey,
    clock,
    logger,
    findInstallationByTenant,
    onAccepted: (tenant) => proof.markProven(tenant),
  });

  const audit = new AuditLog({ clock, reader: database.read.audit });
  const proof: TenantProof = new TenantProof({ database, host, clock, logger });
  const links = new LinkService({ database, audit, accessJwts, clock });
  const uses = new LinkUses({ database, clock, logger });
  const asking = {
    database,
    accessJwts,
    trusting: new TrustingTenants({ database, proof }),
    uses,
    clock,
    accountPageUrl: (tenant: Tenant) => accountPageUrl(config, tenant),
  };
  const products = new ProductStream();
  const grant = new ImpersonationGrant({
    clock,
    oauthUrl: config.atlassianOauthUrl,
    findInstallationByTenant,
  });
  const userTokens = new UserTokens({ clock, grant, host });
  const housekeeping = new Housekeeping({ database, clock, logger });

  return {
    config,
    metricsToken: secrets.metricsToken,
    metrics: createMetrics(),
    limits: new Limits(clock, rates),
    clock,
    logger,
    descriptor: ace.descriptor,
    hostTokens,
    host,
    tenants: new TenantLifecycle({ database, audit, clock, rate: rates.lifecycle }),
    proof,
    settings: new SettingsService({ database, audit, teamKeys, popupFront, clock }),
    links,
    consents: new ConsentService({ database, audit, clock }),
    attempts: new LinkAttemptService({ database, audit, links, accessJwts, clock }),
    identities: new IdentityService(asking),
    gateway: new GatewayService({ ...asking, userTokens, products }),
    audit,
    isReady: () => database.ping(),
    close: async () => {
      housekeeping.stop();
      await products.close();
      await uses.settle();
      await database.close();
    },
  };
}

/** Where a person finds the app's page in the product: Connect's documented path of a general page. */
function accountPageUrl({ connectAppKey }: Config, tenant: Tenant): string {
  return `${tenant.baseUrl}/plugins/servlet/ac/${encodeURIComponent(connectAppKey)}/account`;
}
