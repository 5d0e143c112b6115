import type { z } from "zod";

import { ValidationError } from "./errors.js";

/** More than anybody reads; a request may hold thousands. */
const MAX_ERRORS = 50;

/** Parses with a zod schema; throws ValidationError naming every field as `services[0].audience`. */
export function parseWith<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({
          field: fieldName([...issue.path, key]),
          detail: "There is no such field.",
        }))
      : [{ field: fieldName(issue.path), detail: issue.message }],
  );
  throw new ValidationError(errors.slice(0, MAX_ERRORS));
}

function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (name, part) =>
      typeof part === "number" ? `${name}[${part}]` : name === "" ? String(part) : `${name}.${String(part)}`,
    "",
  );
}
