import { AppError } from "../errors.js";
import { silentLogger } from "../logger.js";
import type { Installation } from "../tenants/tenant-store.js";
import { hashCanonicalRequest } from "./canonical-request.js";
import { TestClock } from "./clock.fixture.js";
import { ConnectVerifier, type BoundRequest } from "./connect-verifier.js";
import { InstallKeys } from "./install-keys.js";
import { buildInstallation } from "./installation.fixture.js";
import {
  createRsaKeyPair,
  keyFile,
  startKeyServer,
  type KeyPair,
  type KeyServer,
} from "./key-server.fixture.js";

const BASE_PATH = "/base";
export const BASE_URL = `https://app.example.com${BASE_PATH}`;
export const KID = "4a6f7d1c-0b3e-4c55-9f1e-6a2b7c8d9e0f";
export const ACCOUNT_ID = "557058:7a1c5a3e-0f1b-4a7d-9b8e-2f6d4c3b2a10";

export const ENABLED = buildInstallation();
export const VICTIM = buildInstallation({
  clientKey: "victim-client-key",
  sharedSecret: "victim-shared-secret-of-a-decent-length",
  tenant: { id: "b1b3c0a8-58d1-4a0e-8f0d-8d8c7c6b5a02", site: "victim.atlassian.net" },
});
export const DISABLED = buildInstallation({
  clientKey: "disabled-client-key",
  tenant: { id: "c2c4d1b9-69e2-4b1f-9a1e-9e9d8d7c6b03", state: "disabled" },
});
/** As if erasing the secret had been forgotten. */
export const HALF_UNINSTALLED = buildInstallation({
  clientKey: "half-uninstalled-client-key",
  tenant: { id: "e4e6f3db-8ba4-4d31-9c30-b0bfaf9e8d05", state: "uninstalled" },
});
export const SECRETLESS = buildInstallation({ clientKey: "secretless-client-key", sharedSecret: "" });
/** Looking this one up fails. */
export const STORE_IS_AWAY = "store-is-away";

const INSTALLATIONS = [ENABLED, VICTIM, DISABLED, HALF_UNINSTALLED, SECRETLESS];

/** A verifier among a few tenants, with Atlassian's keys served over loopback. */
export class VerifierWorld {
  readonly clock = new TestClock();
  readonly atlassian: KeyPair = createRsaKeyPair();
  /** Client keys that were looked up, in order. */
  readonly lookups: unknown[] = [];
  readonly keyServer: KeyServer;
  readonly verifier: ConnectVerifier;

  private constructor(keyServer: KeyServer) {
    this.keyServer = keyServer;
    keyServer.answers.set(KID, keyFile(this.atlassian.publicPem));
    this.verifier = new ConnectVerifier({
      clock: this.clock,
      baseUrl: BASE_URL,
      basePath: BASE_PATH,
      findInstallation: (clientKey) => this.#findInstallation(clientKey),
      installKeys: new InstallKeys({ clock: this.clock, logger: silentLogger, cdnUrls: [keyServer.url] }),
    });
  }

  static async start(): Promise<VerifierWorld> {
    return new VerifierWorld(await startKeyServer());
  }

  /** Claims that the verifier accepts, for a page's token unless they are overridden. */
  buildClaims(overrides: object = {}): object {
    const now = this.clock.epochSeconds;
    return {
      iss: ENABLED.clientKey,
      sub: ACCOUNT_ID,
      iat: now - 10,
      exp: now + 170,
      qsh: "context-qsh",
      ...overrides,
    };
  }

  buildEventClaims(request: BoundRequest, overrides: object = {}): object {
    return this.buildClaims({ aud: [BASE_URL], qsh: qshOf(request), ...overrides });
  }

  #findInstallation(clientKey: string): Promise<Installation | null> {
    this.lookups.push(clientKey);
    if (clientKey === STORE_IS_AWAY) return Promise.reject(new AppError("store_unavailable"));
    return Promise.resolve(
      INSTALLATIONS.find((installation) => installation.clientKey === clientKey) ?? null,
    );
  }
}

export function qshOf(request: BoundRequest): string {
  return hashCanonicalRequest({ ...request, basePath: BASE_PATH });
}
