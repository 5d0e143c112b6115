import { z } from "zod";

import { AppError } from "../errors.js";

export const jsonText = z.string().transform((json, context): unknown => {
  try {
    return JSON.parse(json);
  } catch {
    context.addIssue("Not JSON");
    return z.NEVER;
  }
});

/** Refuses what can't have been written by this app: better no answer than a wrong one. `where` names the place. */
export function parseStored<T>(schema: z.ZodType<T>, stored: unknown, where: string): T {
  const parsed = schema.safeParse(stored);
  if (parsed.success) return parsed.data;
  // The messages name the expectation, never the value.
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new AppError("internal_error", undefined, {
    reason: `What ${where} holds can't be read. ${problems.join("; ")}`,
  });
}

/** Like parseStored, for JSON in a text column. */
export function parseStoredJson<T>(schema: z.ZodType<T>, json: string, where: string): T {
  return parseStored(jsonText.pipe(schema), json, where);
}

/** A schema of a union of strings. The compiler refuses it while a member is missing. */
export function oneOf<T extends string>(members: Record<T, true>): z.ZodType<T> {
  return z.enum(Object.keys(members) as T[]);
}
