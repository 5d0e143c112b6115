import { z } from "zod";

/** As much of JSON Schema 2020-12 as the document uses; a keyword that isn't here is a typing error, or belongs here. */
export interface Schema {
  readonly $ref?: string | undefined;
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly pattern?: string | undefined;
  readonly [keyword: string]: unknown;
}

const type = z.enum(["object", "array", "string", "integer", "number", "boolean", "null"]);
const count = z.int().nonnegative();

const schema: z.ZodType<Schema> = z.lazy(() =>
  z.strictObject({
    $ref: z.string().optional(),
    $defs: z.record(z.string(), schema).optional(),
    type: z.union([type, z.array(type)]).optional(),
    description: z.string().optional(),
    default: z.json().optional(),
    enum: z.array(z.json()).optional(),
    const: z.json().optional(),
    properties: z.record(z.string(), schema).optional(),
    required: z.array(z.string()).optional(),
    additionalProperties: z.union([z.boolean(), schema]).optional(),
    propertyNames: schema.optional(),
    items: schema.optional(),
    anyOf: z.array(schema).min(1).optional(),
    oneOf: z.array(schema).min(1).optional(),
    allOf: z.array(schema).min(1).optional(),
    pattern: z.string().optional(),
    format: z.string().optional(),
    minLength: count.optional(),
    maxLength: count.optional(),
    minItems: count.optional(),
    maxItems: count.optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
  }),
);

// https://spec.openapis.org/oas/v3.1.1.html, Media Type Object and so on
const content = z.record(z.string().regex(/^[\w.+-]+\/[\w.+-]+$/), z.strictObject({ schema }));

const parameter = z.strictObject({
  name: z.string().min(1),
  in: z.enum(["path", "query", "header", "cookie"]),
  required: z.boolean(),
  description: z.string().optional(),
  schema,
});

const operation = z.strictObject({
  summary: z.string().min(1),
  description: z.string().optional(),
  security: z.array(z.record(z.string(), z.array(z.string()))).min(1),
  parameters: z.array(parameter.refine((each) => each.in !== "path" || each.required)).optional(),
  requestBody: z.strictObject({ required: z.boolean(), content }).optional(),
  responses: z.record(
    z.string().regex(/^[1-5]\d\d$/),
    z.strictObject({ description: z.string().min(1), content: content.optional() }),
  ),
});

export type Operation = z.output<typeof operation>;

const verb = z.enum(["get", "put", "post", "delete", "options", "head", "patch", "trace"]);

const apiKeyScheme = z.strictObject({
  type: z.literal("apiKey"),
  in: z.enum(["header", "query", "cookie"]),
  name: z.string().min(1),
  description: z.string(),
});

const bearerScheme = z.strictObject({
  type: z.literal("http"),
  scheme: z.literal("bearer"),
  bearerFormat: z.literal("JWT"),
  description: z.string().min(1),
});

const securityScheme = z.union([apiKeyScheme, bearerScheme]);

/** The structure that OpenAPI 3.1 prescribes. */
export const openapiDocument = z.strictObject({
  openapi: z.string(),
  info: z.strictObject({
    title: z.string().min(1),
    version: z.string().min(1),
    description: z.string(),
    license: z.strictObject({ name: z.string(), identifier: z.string() }),
  }),
  servers: z.array(z.strictObject({ url: z.url() })),
  paths: z.record(z.string().startsWith("/"), z.partialRecord(verb, operation)),
  components: z.strictObject({
    securitySchemes: z.record(z.string(), securityScheme),
    schemas: z.record(z.string(), schema),
  }),
});

export type OpenapiDocument = z.output<typeof openapiDocument>;

/** Every `$ref` anywhere in the document. */
export function listReferences(value: unknown): string[] {
  return listObjects(value).flatMap(({ $ref }) => (typeof $ref === "string" ? [$ref] : []));
}

/** Every object that may be a schema. */
export function listSchemas(value: unknown): Schema[] {
  return listObjects(value).filter((each) => "type" in each || "properties" in each);
}

function listObjects(value: unknown): Record<string, unknown>[] {
  if (typeof value !== "object" || value === null) return [];
  const inside = Object.values(value).flatMap(listObjects);
  return Array.isArray(value) ? inside : [value as Record<string, unknown>, ...inside];
}
