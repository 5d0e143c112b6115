import { AppError, type ProblemCode } from "../errors.js";

/**
 * What any error is to the outside: itself, a client's mistake that a library found, or a fault of the app. A
 * library's message isn't kept for the client's mistakes: it quotes what was sent.
 */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  // A path that can't be percent-decoded, from Express' router or from our own decoding.
  if (error instanceof URIError) return new AppError("malformed_request");
  const status = findClientErrorStatus(error);
  if (status !== null) return new AppError(CODES_BY_STATUS[status] ?? "malformed_request");
  return new AppError("internal_error", undefined, { cause: error });
}

const CODES_BY_STATUS: Readonly<Record<number, ProblemCode>> = {
  404: "not_found",
  413: "too_large",
  415: "unsupported_media_type",
};

/** The errors of Express' own parts (body parsers, static files) are http-errors; `expose` marks a client's mistake. */
function findClientErrorStatus(error: unknown): number | null {
  if (!(error instanceof Error) || !("expose" in error) || error.expose !== true) return null;
  if (!("status" in error) || typeof error.status !== "number") return null;
  return error.status >= 400 && error.status < 500 ? error.status : null;
}
