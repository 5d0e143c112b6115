import { parseConfig } from "../config/config.js";
import type { Env } from "../config/env.js";
import { openAppDatabase } from "../context.js";
import { silentLogger } from "../logger.js";

/** Re-encrypts what isn't under the newest key, in one transaction; answers a sentence. Throws ConfigError. */
export async function rotateKeys(env: Env): Promise<string> {
  const { config, secrets } = parseConfig(env);
  const database = await openAppDatabase(config, secrets, silentLogger);
  try {
    const { reencrypted } = await database.reencrypt();
    return reencrypted === 0
      ? "Every secret is already encrypted with the newest key."
      : `${reencrypted} secrets were encrypted with the newest key. The older keys can be removed now.`;
  } finally {
    await database.close();
  }
}
