import { ConfigError } from "../config/config.js";
import { readEnv } from "../config/env.js";
import { rotateKeys } from "./keys-rotate.js";

const HELP = `Usage: npm run cli -- <command>

  keys rotate   encrypt every stored secret with the newest key of ENCRYPTION_KEYS (or of the key file);
                afterwards the older keys can be removed. Safe while the app runs with the same keys.

The environment is that of the app (.env.example). Exit codes: 0 done, 2 no such command, 78 unusable configuration.
`;

const [group, command, ...rest] = process.argv.slice(2);

if (group === "--help" || group === "help") {
  process.stdout.write(HELP);
} else if (group === "keys" && command === "rotate" && rest.length === 0) {
  try {
    process.stdout.write(`${await rotateKeys(readEnv())}\n`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 78;
  }
} else {
  process.stderr.write(HELP);
  process.exitCode = 2;
}
