import { readEnv } from "../config/env.js";
import { hideSecrets } from "../hide-secrets.js";
import { explainStartFailure } from "../start-failure.js";
import { rotateKeys } from "./keys-rotate.js";

const HELP = `Usage: node dist/cli/main.js <command>   (from the sources: npm run cli -- <command>)

  keys rotate   encrypt every stored secret with the newest key of ENCRYPTION_KEYS (or of the key file);
                afterwards the older keys can be removed. Safe while the app runs with the same keys.

The environment is that of the app (.env.example).
Exit codes: 0 done, 1 failed and nothing changed, 2 no such command, 78 unusable configuration.
`;

const args = process.argv.slice(2);

if (args.includes("--help") || args.join(" ") === "help") {
  process.stdout.write(HELP);
} else if (args.join(" ") === "keys rotate") {
  try {
    process.stdout.write(`${await rotateKeys(readEnv())}\n`);
  } catch (error) {
    const { exitCode, lines } = explainStartFailure(error) ?? { exitCode: 1, lines: [describe(error)] };
    process.stderr.write(lines.map((line) => `${hideSecrets(line)}\n`).join(""));
    process.exitCode = exitCode;
  }
} else {
  process.stderr.write(HELP);
  process.exitCode = 2;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
