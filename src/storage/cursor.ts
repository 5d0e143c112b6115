import { z } from "zod";

import { AppError } from "../errors.js";
import type { Page, PageRequest } from "../stores.js";
import { jsonText } from "./stored-data.js";

const MAX_CURSOR_LENGTH = 500;

const json = z
  .base64url()
  .max(MAX_CURSOR_LENGTH)
  .transform((text) => Buffer.from(text, "base64url").toString())
  .pipe(jsonText);

/** The position after which a page goes on; null for the first page. Throws `malformed_request`. */
export function parseCursor<Position>(schema: z.ZodType<Position>, { cursor }: PageRequest): Position | null {
  if (cursor === null) return null;
  const parsed = json.pipe(schema).safeParse(cursor);
  if (parsed.success) return parsed.data;
  throw new AppError("malformed_request", "The cursor is damaged. Use a nextCursor as it was sent.");
}

/** Of `limit + 1` rows that were asked for. */
export function createPage<Row, T>(
  rows: readonly Row[],
  { limit }: PageRequest,
  present: (row: Row) => T,
  findPosition: (row: Row) => readonly (string | number)[],
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const position = last && rows.length > limit ? JSON.stringify(findPosition(last)) : null;
  return {
    items: shown.map(present),
    nextCursor: position === null ? null : Buffer.from(position).toString("base64url"),
  };
}
