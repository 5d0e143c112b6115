import type { z } from "zod";

import { ValidationError, type FieldError } from "./errors.js";

/** More than anybody reads; a request may hold thousands. */
const MAX_ERRORS = 50;

/** Parses with a zod schema; throws ValidationError naming every field as `services[0].audience`. */
export function parseWith<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap(({ path, message, ...issue }) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => createFieldError([...path, key], "There is no such field."))
      : [createFieldError(path, message)],
  );
  throw new ValidationError(errors.slice(0, MAX_ERRORS));
}

function createFieldError(keys: readonly PropertyKey[], detail: string): FieldError {
  const path = keys.map((key) => (typeof key === "number" ? key : String(key)));
  const field = path.reduce<string>(
    (name, part) => (typeof part === "number" ? `${name}[${part}]` : name === "" ? part : `${name}.${part}`),
    "",
  );
  return { field, detail, path };
}
