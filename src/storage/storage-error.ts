import { AppError } from "../errors.js";

/** A row with these values is there already: a fault of the app, or a race that the caller may put a name to. */
export class UniqueViolation extends AppError {
  /** Names of the columns: `["tenant_id", "issuer", "subject"]`. */
  readonly columns: readonly string[];

  constructor(columns: readonly string[], cause: Error) {
    super("internal_error", undefined, { cause });
    this.columns = columns;
  }
}

// https://www.sqlite.org/rescode.html: these say that the statement was wrong, not that the database is away.
const FAULTS_OF_OURS = [
  "SQLITE_ERROR",
  "SQLITE_CONSTRAINT",
  "SQLITE_MISMATCH",
  "SQLITE_RANGE",
  "SQLITE_TOOBIG",
];

/**
 * Puts an error of Sequelize, the driver or the file system in the app's words. The cause keeps the driver's message
 * and nothing else: Sequelize's own errors carry the statement with its values, which no log may show.
 */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const driverError = findDriverError(error);
  const cause = new Error(driverError?.message ?? (error instanceof Error ? error.message : "unknown error"));
  const violated = /UNIQUE constraint failed: (?<columns>.+)/.exec(cause.message)?.groups?.["columns"];
  if (violated !== undefined) {
    return new UniqueViolation(
      violated.split(", ").map((column) => column.replace(/^.*\./, "")),
      cause,
    );
  }
  const isFaultOfOurs = driverError !== null && FAULTS_OF_OURS.includes(driverError.code);
  return new AppError(isFaultOfOurs ? "internal_error" : "store_unavailable", undefined, { cause });
}

/** Sequelize keeps the driver's error as `parent`, umzug keeps Sequelize's as `cause`. */
function findDriverError(error: unknown): { code: string; message: string } | null {
  if (!(error instanceof Error)) return null;
  if ("code" in error && typeof error.code === "string" && error.code.startsWith("SQLITE_")) {
    return { code: error.code, message: error.message };
  }
  return findDriverError("parent" in error ? error.parent : error.cause);
}

/** For updates of a row that the caller has just read. */
export function requireOneRow(count: number): void {
  if (count !== 1) {
    throw new AppError("internal_error", undefined, {
      reason: `One row was to be updated, but ${count} were there.`,
    });
  }
}
