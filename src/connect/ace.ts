import { Console } from "node:console";
import { devNull } from "node:os";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";

import addOnFactory, { type HostClient, type StoreAdapter } from "atlassian-connect-express";
import express from "express";

import type { Installation } from "../tenants/tenant-store.js";

interface AceOptions {
  readonly appKey: string;
  /** The app's public URL without a trailing slash. */
  readonly baseUrl: string;
  readonly findInstallation: (clientKey: string) => Promise<Installation | null>;
}

export interface Ace {
  /** atlassian-connect.json with its tokens replaced. */
  readonly descriptor: object;
  /** Calls one installation's product, each call signed as the app. */
  hostClient(clientKey: string): HostClient;
}

// The same two steps up from src/connect and from dist/connect.
const DESCRIPTOR_FILE = fileURLToPath(new URL("../../atlassian-connect.json", import.meta.url));

/**
 * atlassian-connect-express, kept for what it does well: replacing the descriptor's tokens and signing calls to the
 * product. Nothing else of it can be reached: its routes and middlewares hang on an Express app that is never served,
 * and its store reads installations only.
 */
export function createAce({ appKey, baseUrl, findInstallation }: AceOptions): Ace {
  addOnFactory.store.register("installations", () => createReadOnlyStore(appKey, findInstallation));
  const neverServed = express();
  // Outside production ACE logs shared secrets, watches files and registers itself.
  neverServed.set("env", "production");
  const production = { store: { adapter: "installations" }, setupInstallRoute: false, watch: false };

  const addOn = withoutRejectionListener(() =>
    addOnFactory(neverServed, { config: { development: production, production } }, silentConsole, {
      descriptorFilename: DESCRIPTOR_FILE,
      // Else a config.json in the working directory would be merged in.
      configFileName: devNull,
    }),
  );
  // AC_LOCAL_BASE_URL, AC_APP_KEY and AC_PRODUCT beat ACE's options, so they are overruled afterwards.
  const product = { id: "jira", isJIRA: true, isConfluence: false, isBitbucket: false };
  Object.assign(addOn.config, { localBaseUrl: () => baseUrl, appKey: () => appKey, product: () => product });
  addOn.reloadDescriptor();
  const { descriptor } = addOn;
  if (descriptor.key !== appKey || descriptor.baseUrl !== baseUrl) {
    throw new Error("atlassian-connect.json doesn't take its key and its base URL from the configuration.");
  }
  addOn.key = appKey;

  return {
    descriptor,
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- only with a userKey; the types can't tell
    hostClient: (clientKey) => addOn.httpClient({ clientKey }),
  };
}

// What matters of ACE's messages comes back through its callbacks; some hold what must not be logged.
const silentConsole = new Console(new Writable({ write: (_chunk, _encoding, done) => done() }));

/** ACE swallows every unhandled rejection of the process; what to do with them is the app's own decision. */
function withoutRejectionListener<T>(work: () => T): T {
  const before = process.listeners("unhandledRejection");
  try {
    return work();
  } finally {
    for (const listener of process.listeners("unhandledRejection")) {
      if (!before.includes(listener)) process.off("unhandledRejection", listener);
    }
  }
}

function createReadOnlyStore(appKey: string, findInstallation: AceOptions["findInstallation"]): StoreAdapter {
  const refuse = () => Promise.reject(new Error("Installations are changed by lifecycle events only."));
  return {
    async get<T>(key: string, clientKey: string): Promise<T> {
      const installation = key === "clientInfo" ? await findInstallation(clientKey) : null;
      if (!installation?.sharedSecret) return null as T;
      const { tenant, sharedSecret } = installation;
      return { key: appKey, clientKey, sharedSecret, baseUrl: tenant.baseUrl } as T;
    },
    set: refuse,
    del: refuse,
    saveInstallation: refuse,
    getAllClientInfos: refuse,
    getClientSettingsForForgeInstallation: refuse,
    deleteAssociation: refuse,
    forForgeInstallation: () => ({ get: refuse, set: refuse, del: refuse }),
  };
}
