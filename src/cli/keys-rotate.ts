import { existsSync } from "node:fs";

import { ConfigError, parseConfig } from "../config/config.js";
import type { Env } from "../config/env.js";
import { openAppDatabase } from "../context.js";
import { silentLogger } from "../logger.js";

/**
 * Re-encrypts what isn't under the newest key, in one transaction; answers a sentence. Throws ConfigError, also when
 * there is no database: an operator in the wrong folder must not hear that the old keys can go.
 */
export async function rotateKeys(env: Env): Promise<string> {
  const { config, secrets } = parseConfig(env);
  if (!existsSync(config.databaseFile)) {
    throw new ConfigError([`DATABASE_URL: there is no database at ${config.databaseFile}.`]);
  }
  const database = await openAppDatabase(config, secrets, silentLogger);
  try {
    const { reencrypted } = await database.reencrypt();
    if (reencrypted === 0) return "Every secret is already encrypted with the newest key.";
    const secretsWere = reencrypted === 1 ? "1 secret was" : `${reencrypted} secrets were`;
    return `${secretsWere} encrypted with the newest key. Once every process runs with that key first, the older keys can be removed.`;
  } finally {
    await database.close();
  }
}
