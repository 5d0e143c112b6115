import { z } from "zod";

import { PROBLEMS, type ProblemCode } from "../errors.js";
import { REFERENCE_HEADER } from "./request-context.js";

export interface Operation {
  /** What a generated client calls it. */
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  /** Each is enough; of several in one, all are needed. Empty: anyone may call. */
  readonly security: readonly (readonly SecurityScheme[])[];
  readonly path?: readonly string[];
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly isBodyOptional?: true;
  readonly answers: Readonly<Record<number, z.ZodType | null>>;
  /** Bodies and answers are somebody else's; this says whose answer comes back, of any status. */
  readonly passesOn?: string;
  readonly problems: readonly ProblemCode[];
}

export type SecurityScheme = keyof typeof SECURITY_SCHEMES;

export const SECURITY_SCHEMES = {
  contextJwt: {
    type: "apiKey",
    in: "header",
    name: "Authorization",
    description: "JWT <context JWT>, from AP.context.getToken() in Jira or Confluence.",
  },
  forgeToken: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description:
      "The Forge Invocation Token that Forge puts on what a page calls by invokeRemote. Where the app isn't deployed to Forge, none counts. Problems are application/json then, because Forge passes nothing else on; and a 401 that isn't about this token is sent as a 422 whose problem has the status 401.",
  },
  accessJwt: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description:
      "The Access JWT that the service received in Cf-Access-Jwt-Assertion. That header is taken here too, but a proxy of Cloudflare's in front of the app may take it off.",
  },
  serviceKey: {
    type: "apiKey",
    in: "header",
    name: "X-Service-Key",
    description: "A key of the service, which it needs once an admin has made one.",
  },
  accessAssertion: {
    type: "apiKey",
    in: "header",
    name: "Cf-Access-Jwt-Assertion",
    description: "Put on a browser's request by Cloudflare Access itself.",
  },
} as const;

const text = { type: "string" };

/** What answers are referred to with. */
export const HEADERS = {
  Reference: { description: "Finds the log line of this request.", required: true, schema: text },
  RetryAfter: { description: "Seconds until it is worth another try.", required: true, schema: text },
  GatewayUpstream: {
    description:
      "Only on an answer of the product's own: jira or confluence. A refusal of this app's has none.",
    required: true,
    schema: { type: "string", enum: ["jira", "confluence"] },
  },
} as const;

const OWN_HEADERS = { [REFERENCE_HEADER]: referTo("Reference") };
const PASSED_ON_HEADERS = { ...OWN_HEADERS, "X-Gateway-Upstream": referTo("GatewayUpstream") };

/** Not among the components: generated types take each header that is referred to for one that is always there. */
const GATEWAY_UPSTREAM_IF_PASSED_ON = {
  ...HEADERS.GatewayUpstream,
  description: "Only on an answer of the product's own.",
  required: false,
};

const PATH_PARAMETERS: Readonly<Record<string, string>> = {
  site: "Host of the site, such as acme.atlassian.net, in any case. Configuration of the service, never input.",
  path: "The product's own path without its first slash, with as many segments as it has, and with its slashes as they are: %2F is refused.",
};

/** OpenAPI 3.1.1 §4.8.12: each property is a parameter of its own. */
const FREE_QUERY = {
  name: "query",
  in: "query",
  required: false,
  style: "form",
  explode: true,
  description: "The product's own parameters, such as jql, each by its name. They are passed on.",
  schema: { type: "object", additionalProperties: text },
};

const ANYTHING = { "*/*": { schema: {} } };
const EVERYWHERE: readonly ProblemCode[] = [
  "headers_too_large",
  "rate_limited",
  "store_unavailable",
  "internal_error",
];
const WITH_BODY: readonly ProblemCode[] = ["request_timeout"];

/** As OpenAPI 3.1 has it. */
export function presentOperation(operation: Operation, verb: string): object {
  const { id, summary, description, security, passesOn } = operation;
  const parameters = presentParameters(operation);
  const body = presentBody(operation, verb);
  return {
    operationId: id,
    summary,
    ...(description !== undefined && { description }),
    security: security.map((schemes) => Object.fromEntries(schemes.map((scheme) => [scheme, []]))),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: body }),
    responses: {
      ...presentAnswers(operation),
      ...presentProblems([...operation.problems, ...(body ? WITH_BODY : []), ...EVERYWHERE], passesOn),
    },
  };
}

function presentParameters({ path = [], query, passesOn }: Operation): object[] {
  return [
    ...path.map((name) => ({
      name,
      in: "path",
      required: true,
      ...(PATH_PARAMETERS[name] !== undefined && { description: PATH_PARAMETERS[name] }),
      schema: text,
    })),
    ...Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
      name,
      in: "query",
      required: false,
      schema: toParameterSchema(schema as z.ZodType),
    })),
    ...(passesOn === undefined ? [] : [FREE_QUERY]),
  ];
}

function presentBody({ body, isBodyOptional, passesOn }: Operation, verb: string): object | null {
  if (passesOn !== undefined) return verb === "get" ? null : { required: false, content: ANYTHING };
  if (!body) return null;
  return {
    required: isBodyOptional !== true,
    content: { "application/json": { schema: toJsonSchema(body) } },
  };
}

function presentAnswers({ answers, passesOn }: Operation): Record<string, object> {
  if (passesOn !== undefined) {
    const answer = { description: passesOn, headers: PASSED_ON_HEADERS, content: ANYTHING };
    return { 200: answer, default: answer };
  }
  return Object.fromEntries(
    Object.entries(answers).map(([status, schema]) => [
      status,
      {
        description: schema ? "Done." : "Done; no body.",
        headers: OWN_HEADERS,
        ...(schema && { content: { "application/json": { schema: toJsonSchema(schema) } } }),
      },
    ]),
  );
}

function presentProblems(
  codes: readonly ProblemCode[],
  passesOn: string | undefined,
): Record<string, object> {
  const statuses = [...new Set(codes.map((code) => PROBLEMS[code].status))];
  return Object.fromEntries(
    statuses.map((status) => {
      const ofStatus = [...new Set(codes)].filter((code) => PROBLEMS[code].status === status);
      const titles = ofStatus.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`);
      return [
        String(status),
        {
          description: [...titles, ...(passesOn === undefined ? [] : [`Or: ${passesOn}`])].join(" "),
          headers: {
            ...OWN_HEADERS,
            ...(ofStatus.includes("rate_limited") && { "Retry-After": referTo("RetryAfter") }),
            ...(passesOn !== undefined && { "X-Gateway-Upstream": GATEWAY_UPSTREAM_IF_PASSED_ON }),
          },
          content: {
            "application/problem+json": { schema: presentProblem(status, ofStatus) },
            ...(passesOn !== undefined && ANYTHING),
          },
        },
      ];
    }),
  );
}

/** The one shape of problems, with the codes that this call may have. */
function presentProblem(status: number, codes: readonly ProblemCode[]): object {
  const properties = { status: { const: status }, code: { type: "string", enum: codes } };
  return {
    allOf: [
      { $ref: "#/components/schemas/Problem" },
      { type: "object", properties, required: ["status", "code"] },
    ],
  };
}

function referTo(header: keyof typeof HEADERS): object {
  return { $ref: `#/components/headers/${header}` };
}

/** Whatever a value is later taken for, in a URL it is text. */
function toParameterSchema(schema: z.ZodType): object {
  const { default: value, ...rest } = toJsonSchema(schema) as { default?: string | number | null };
  return value === undefined || value === null ? rest : { ...rest, default: String(value) };
}

export function toJsonSchema(schema: z.ZodType): object {
  // `$schema` belongs to a document; here the OpenAPI version says which dialect it is.
  return { ...z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }), $schema: undefined };
}
