import { z } from "zod";

import type { Call } from "./http-client.js";

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
const content = z.record(z.string().regex(/^(?:[\w.+-]+\/[\w.+-]+|\*\/\*)$/), z.strictObject({ schema }));

const reference = z.strictObject({ $ref: z.string() });
const header = z.strictObject({ description: z.string().min(1), required: z.boolean(), schema });

const parameter = z.strictObject({
  name: z.string().min(1),
  in: z.enum(["path", "query", "header", "cookie"]),
  required: z.boolean(),
  style: z.literal("form").optional(),
  explode: z.boolean().optional(),
  description: z.string().optional(),
  schema,
});

const operation = z.strictObject({
  operationId: z.string().regex(/^[a-z][A-Za-z]+$/),
  summary: z.string().min(1),
  description: z.string().optional(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  parameters: z.array(parameter.refine((each) => each.in !== "path" || each.required)).optional(),
  requestBody: z.strictObject({ required: z.boolean(), content }).optional(),
  responses: z.record(
    z.string().regex(/^(?:[1-5]\d\d|default)$/),
    z.strictObject({
      description: z.string().min(1),
      headers: z.record(z.string(), z.union([reference, header])),
      content: content.optional(),
    }),
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
    headers: z.record(z.string(), header),
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

const announcement = z.object({
  allOf: z.tuple([
    z.object({ $ref: z.literal("#/components/schemas/Problem") }),
    z.object({
      properties: z.object({
        status: z.object({ const: z.int() }),
        code: z.object({ enum: z.array(z.string()).min(1) }),
      }),
    }),
  ]),
});

/** The refusals that an operation announces: `404 not_found` and so on. */
export function listAnnounced({ responses }: Operation): string[] {
  return Object.entries(responses).flatMap(([status, { content = {} }]) => {
    const { schema: announced } = content["application/problem+json"] ?? {};
    if (!announced) return [];
    const { properties } = announcement.parse(announced).allOf[1];
    return properties.code.enum.map((code) => `${status} ${code}`);
  });
}

export interface NamedOperation {
  /** `GET /api/v1/me` */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

export function listOperations({ paths }: OpenapiDocument): NamedOperation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([verb, operation]) => {
      const method = verb.toUpperCase();
      return { name: `${method} ${path}`, method, path, operation };
    }),
  );
}

/** The one that a call was, whatever came of it. */
export function findOperation(document: OpenapiDocument, call: Call): NamedOperation | undefined {
  const { pathname } = new URL(call.url);
  return listOperations(document).find(
    ({ method, path }) =>
      method === call.method &&
      new RegExp(`^${path.replace("{path}", ".+").replace(/\{\w+\}/g, "[^/]+")}$`).test(pathname),
  );
}
