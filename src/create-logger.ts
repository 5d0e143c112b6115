import { pino } from "pino";

import type { LogLevel } from "./config/values.js";
import { AppError } from "./errors.js";
import { hideSecrets, hideSecretsWithin } from "./hide-secrets.js";
import type { Logger } from "./logger.js";

/** JSON lines on standard output. */
export function createLogger(level: LogLevel): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { log: presentFields },
    serializers: { err: presentError },
  });
}

function presentFields(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]: [string, unknown]) => [
      name,
      name === "err" ? value : hideSecretsWithin(value),
    ]),
  );
}

interface PresentedError {
  readonly type: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly code?: unknown;
  readonly reason?: string | undefined;
  readonly cause?: PresentedError | undefined;
}

/**
 * Named members only: errors of other libraries carry what they failed on (jose the whole payload, Sequelize the
 * statement with its values), and that holds tokens, secrets and e-mail addresses.
 */
function presentError(error: unknown, depth = 0): PresentedError | undefined {
  if (error === undefined || depth > 5) return undefined;
  if (!(error instanceof Error)) return { type: typeof error, message: "Something that isn't an Error." };
  return {
    type: error.name,
    message: hideSecrets(error.message),
    stack: error.stack && hideSecrets(error.stack),
    code: "code" in error ? hideSecretsWithin(error.code) : undefined,
    reason: error instanceof AppError && error.reason !== null ? hideSecrets(error.reason) : undefined,
    cause: presentError(error.cause, depth + 1),
  };
}
