import { z } from "zod";

import { parseWith } from "../field-errors.js";

const limit = z
  .string("Must stand once.")
  .regex(/^\d{1,3}$/, "Must be a whole number from 1 to 200.")
  .transform(Number)
  .refine((number) => number >= 1 && number <= 200, "Must be a whole number from 1 to 200.")
  .default(50);

const text = (maxLength: number) =>
  z.string("Must stand once.").max(maxLength, `May have ${maxLength} characters.`);

export const timeField = z.iso
  .datetime({ offset: true, error: "Must be a time such as 2026-01-31T12:00:00Z." })
  .transform((value) => new Date(value));

const time = timeField.nullable().default(null);

/** `?query=&limit=` is what an empty form sends: an empty value is none. Throws ValidationError. */
export function parseQuery<T extends z.ZodObject>(
  schema: T,
  query: Readonly<Record<string, unknown>>,
): z.output<T> {
  return parseWith(schema, Object.fromEntries(Object.entries(query).filter(([, value]) => value !== "")));
}

// The store judges it: a bad cursor is a 400, however long it is.
const page = { limit, cursor: z.string("Must stand once.").nullable().default(null) };

export const linksQuery = z.object({ query: text(200).default(""), ...page });

export const activityQuery = z.object(page);

export const auditQuery = z.object({
  kind: z
    .enum(["changes", "use"], "Must be changes or use.")
    .nullable()
    .default(null)
    .meta({ description: "What people and Atlassian changed, or what services did for people." }),
  action: text(64).nullable().default(null),
  actor: text(128).nullable().default(null),
  from: time,
  to: time,
  ...page,
});
