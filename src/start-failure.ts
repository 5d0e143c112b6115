import { ConfigError } from "./config/config.js";
import { AppError } from "./errors.js";

/** Why the app, or a command on its data, could not start: for the operator, and for the supervisor. */
export interface StartFailure {
  readonly exitCode: typeof EXIT_CONFIG | typeof EXIT_UNAVAILABLE;
  /** One sentence per problem. */
  readonly lines: readonly string[];
}

// sysexits.h, EX_CONFIG: trying again would change nothing.
const EXIT_CONFIG = 78;
const EXIT_UNAVAILABLE = 1;

/** Null for a fault of the app's own: that wants a stack. */
export function explainStartFailure(error: unknown): StartFailure | null {
  if (error instanceof ConfigError) return { exitCode: EXIT_CONFIG, lines: error.problems };
  const reason = error instanceof AppError ? findDatabaseReason(error) : null;
  if (reason !== null) return explainDatabase(reason);
  return isListenError(error) ? explainListening(error) : null;
}

/** storage/storage-error.ts keeps the driver's message, which starts with its code, and no value of anybody's. */
function findDatabaseReason({ reason, cause }: AppError): string | null {
  return reason ?? (cause instanceof Error ? cause.message : null);
}

// What is at that path is no database, or not for this user: https://www.sqlite.org/rescode.html and errno(3).
const UNUSABLE_FILE =
  /^(?:SQLITE_(?:NOTADB|CANTOPEN|READONLY|PERM)|EACCES|EPERM|EROFS|EISDIR|ENOTDIR|EEXIST|ENOENT|ELOOP|ENAMETOOLONG)\b/;

function explainDatabase(reason: string): StartFailure {
  return {
    exitCode: UNUSABLE_FILE.test(reason) ? EXIT_CONFIG : EXIT_UNAVAILABLE,
    lines: [`DATABASE_URL: the database can't be used (${reason}).`],
  };
}

type ListenError = NodeJS.ErrnoException & { readonly port?: number };

// The address of HOST is looked up first.
function isListenError(error: unknown): error is ListenError {
  return (
    error instanceof Error && "syscall" in error && ["listen", "getaddrinfo"].includes(String(error.syscall))
  );
}

function explainListening({ code, port, message }: ListenError): StartFailure {
  switch (code) {
    case "EADDRINUSE":
      return {
        exitCode: EXIT_UNAVAILABLE,
        lines: [`PORT: another program already listens on port ${port ?? ""}.`],
      };
    case "EACCES":
      return { exitCode: EXIT_CONFIG, lines: [`PORT: this user may not listen on port ${port ?? ""}.`] };
    case "EAI_AGAIN":
      return {
        exitCode: EXIT_UNAVAILABLE,
        lines: [`HOST: its address can't be looked up right now (${message}).`],
      };
    default:
      return {
        exitCode: EXIT_CONFIG,
        lines: [`HOST: this machine can't listen on that address (${message}).`],
      };
  }
}
