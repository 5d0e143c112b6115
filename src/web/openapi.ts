import { z } from "zod";

import { PROBLEMS, type ProblemCode } from "../errors.js";
import { settingsDocument } from "../services/settings-document.js";
import * as schemas from "./api-schemas.js";
import { consentRequest, linkRequest } from "./me-routes.js";
import { auditQuery, linksQuery } from "./query.js";
import { popupRequest } from "./popup-routes.js";
import { identityQuery } from "./service-api.js";
import { settingsCheckRequest } from "./settings-routes.js";

interface Operation {
  readonly summary: string;
  readonly security: "contextJwt" | "accessJwt" | "accessAssertion";
  readonly path?: readonly string[];
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly isBodyOptional?: true;
  readonly answers: Readonly<Record<number, z.ZodType | null>>;
  /** What comes back instead of an answer of the app's own. */
  readonly passesOn?: string;
  readonly problems: readonly ProblemCode[];
}

const CONTEXT: readonly ProblemCode[] = [
  "connect_jwt_missing",
  "connect_jwt_invalid",
  "connect_jwt_expired",
  "ambiguous_credentials",
];
const ADMIN: readonly ProblemCode[] = [...CONTEXT, "not_admin", "upstream_failed", "upstream_timeout"];
const USER: readonly ProblemCode[] = [...CONTEXT, "account_inactive"];
const BODY: readonly ProblemCode[] = [
  "malformed_request",
  "too_large",
  "unsupported_media_type",
  "validation_failed",
];
const TOKEN: readonly ProblemCode[] = [
  "access_jwt_malformed",
  "access_jwt_expired",
  "access_jwt_untrusted",
  "service_token",
  "email_domain_not_allowed",
  "paused",
  "purpose_not_allowed",
  "keys_unavailable",
];
const EVERYWHERE: readonly ProblemCode[] = ["rate_limited", "store_unavailable", "internal_error"];

type Operations = Readonly<Record<string, Operation>>;

const OPERATIONS: Readonly<Record<string, Operations>> = {
  "/api/v1/settings": {
    get: {
      summary: "Read the tenant's settings",
      security: "contextJwt",
      answers: { 200: schemas.settings },
      problems: ADMIN,
    },
    put: {
      summary: "Replace the tenant's settings",
      security: "contextJwt",
      body: settingsDocument,
      answers: { 200: schemas.settings },
      problems: [...ADMIN, ...BODY, "version_conflict"],
    },
  },
  "/api/v1/settings/check": {
    post: {
      summary: "Fetch a team's keys now and say what came back",
      security: "contextJwt",
      body: settingsCheckRequest,
      isBodyOptional: true,
      answers: { 200: schemas.teamCheck },
      problems: [...ADMIN, ...BODY],
    },
  },
  "/api/v1/settings/popup-check": {
    post: {
      summary: "Look from outside whether the linking window is behind the right Access application",
      security: "contextJwt",
      answers: { 200: schemas.popupCheck },
      problems: ADMIN,
    },
  },
  "/api/v1/links": {
    get: {
      summary: "List the tenant's links, newest first",
      security: "contextJwt",
      query: linksQuery,
      answers: { 200: schemas.pageOf(schemas.link) },
      problems: [...ADMIN, "malformed_request", "validation_failed"],
    },
  },
  "/api/v1/links/{id}": {
    delete: {
      summary: "Remove a link of the tenant",
      security: "contextJwt",
      path: ["id"],
      answers: { 204: null },
      problems: [...ADMIN, "not_found"],
    },
  },
  "/api/v1/links/{id}/restore": {
    post: {
      summary: "Undo the removal of a link by an admin, within ten minutes",
      security: "contextJwt",
      path: ["id"],
      answers: { 200: schemas.link },
      problems: [...ADMIN, "not_found"],
    },
  },
  "/api/v1/audit": {
    get: {
      summary: "List the tenant's audit events, newest first",
      security: "contextJwt",
      query: auditQuery,
      answers: { 200: schemas.pageOf(schemas.auditItem) },
      problems: [...ADMIN, "malformed_request", "validation_failed"],
    },
  },
  "/api/v1/me": {
    get: {
      summary: "Who I am, what is linked, and which services may act for me",
      security: "contextJwt",
      answers: { 200: schemas.me },
      problems: USER,
    },
  },
  "/api/v1/me/link-attempts": {
    post: {
      summary: "Begin to link: open the url in a window",
      security: "contextJwt",
      answers: { 201: schemas.linkAttempt },
      problems: [...USER, "purpose_not_allowed", "paused"],
    },
  },
  "/api/v1/me/links": {
    post: {
      summary: "Link, with the code that the window gave or with a fresh Access JWT",
      security: "contextJwt",
      body: linkRequest,
      answers: { 200: schemas.link, 201: schemas.link },
      problems: [...USER, ...BODY, ...TOKEN, "token_too_old", "already_linked", "attempt_expired"],
    },
  },
  "/api/v1/me/links/{id}": {
    delete: {
      summary: "Unlink",
      security: "contextJwt",
      path: ["id"],
      answers: { 204: null },
      problems: [...USER, "paused", "not_found"],
    },
  },
  "/api/v1/me/consents/{serviceId}": {
    put: {
      summary: "Agree to what a service may do for me",
      security: "contextJwt",
      path: ["serviceId"],
      body: consentRequest,
      answers: { 204: null },
      problems: [...USER, ...BODY, "paused", "not_found", "consent_changed"],
    },
    delete: {
      summary: "Let a service do nothing more for me, also where an admin gave consent for everybody",
      security: "contextJwt",
      path: ["serviceId"],
      answers: { 204: null },
      problems: [...USER, "paused", "not_found"],
    },
  },
  "/access/link/{attempt}": {
    post: {
      summary: "In the window behind Access: agree, and get the one-time code",
      security: "accessAssertion",
      path: ["attempt"],
      body: popupRequest,
      isBodyOptional: true,
      answers: { 200: schemas.popupCodes, 204: null },
      problems: [
        "access_jwt_missing",
        "ambiguous_credentials",
        ...TOKEN,
        ...BODY,
        "browser_not_allowed",
        "attempt_expired",
      ],
    },
  },
  "/api/v1/sites/{site}/identity": {
    get: {
      summary: "Who is my visitor in Jira or Confluence?",
      security: "accessJwt",
      path: ["site"],
      query: identityQuery,
      answers: { 200: schemas.identity },
      problems: [
        "access_jwt_missing",
        "ambiguous_credentials",
        ...TOKEN,
        "malformed_request",
        "validation_failed",
        "browser_not_allowed",
        "not_linked",
        "ambiguous_site",
      ],
    },
  },
  "/api/v1/sites/{site}/jira/{path}": actingCalls("Jira"),
  "/api/v1/sites/{site}/confluence/{path}": actingCalls("Confluence"),
};

/** `{path}` may hold slashes, which OpenAPI has no word for. */
function actingCalls(productName: string): Operations {
  const operation: Operation = {
    summary: `Call ${productName} as the person; the path may have any number of segments, and the query is passed on`,
    security: "accessJwt",
    path: ["site", "path"],
    answers: { 200: null },
    passesOn: `${productName}'s own answer, of any status.`,
    problems: [
      "access_jwt_missing",
      "ambiguous_credentials",
      ...TOKEN,
      "malformed_request",
      "browser_not_allowed",
      "not_linked",
      "request_not_allowed",
      "token_too_old",
      "ip_not_allowed",
      "proof_required",
      "consent_required",
      "account_inactive",
      "scope_not_granted",
      "upstream_failed",
      "installation_expired",
      "upstream_timeout",
    ],
  };
  return { get: operation, put: operation, post: operation, patch: operation, delete: operation };
}

/** The API as OpenAPI 3.1, made from the schemas that the routes themselves parse with. */
export function createOpenapiDocument(options: {
  readonly baseUrl: string;
  readonly version: string;
}): object {
  return {
    openapi: "3.1.0",
    info: {
      title: "Access for Atlassian Cloud",
      version: options.version,
      description: `Links Cloudflare Access identities to Atlassian accounts. Every refusal is application/problem+json; its codes are explained at ${options.baseUrl}/problems.`,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: options.baseUrl }],
    paths: Object.fromEntries(
      Object.entries(OPERATIONS).map(([path, operations]) => [
        path,
        Object.fromEntries(
          Object.entries(operations).map(([verb, operation]) => [verb, presentOperation(operation)]),
        ),
      ]),
    ),
    components: {
      securitySchemes: {
        contextJwt: {
          type: "apiKey",
          in: "header",
          name: "Authorization",
          description: "JWT <context JWT>, from AP.context.getToken() in Jira or Confluence.",
        },
        accessJwt: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description:
            "The Access JWT that the service received in Cf-Access-Jwt-Assertion. That header is taken here too, but a proxy of Cloudflare's in front of the app may take it off.",
        },
        accessAssertion: {
          type: "apiKey",
          in: "header",
          name: "Cf-Access-Jwt-Assertion",
          description: "Put on a browser's request by Cloudflare Access itself.",
        },
      },
      schemas: { Problem: toJsonSchema(schemas.problem) },
    },
  };
}

function presentOperation(operation: Operation): object {
  const parameters = [
    ...(operation.path ?? []).map((name) => ({
      name,
      in: "path",
      required: true,
      schema: { type: "string" },
    })),
    ...Object.entries(operation.query?.shape ?? {}).map(([name, schema]) => ({
      name,
      in: "query",
      required: false,
      schema: toJsonSchema(schema as z.ZodType),
    })),
  ];
  return {
    summary: operation.summary,
    security: [{ [operation.security]: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(operation.body && {
      requestBody: {
        required: true,
        content: { "application/json": { schema: toJsonSchema(operation.body) } },
      },
    }),
    responses: {
      ...presentAnswers(operation),
      ...presentProblems([...operation.problems, ...EVERYWHERE]),
    },
  };
}

function presentAnswers({ answers, passesOn = "Done; no body." }: Operation): Record<string, object> {
  return Object.fromEntries(
    Object.entries(answers).map(([status, schema]) => [
      status,
      schema
        ? { description: "Done.", content: { "application/json": { schema: toJsonSchema(schema) } } }
        : { description: passesOn },
    ]),
  );
}

function presentProblems(codes: readonly ProblemCode[]): Record<string, object> {
  const statuses = [...new Set(codes.map((code) => PROBLEMS[code].status))];
  return Object.fromEntries(
    statuses.map((status) => [
      String(status),
      {
        description: codes
          .filter((code) => PROBLEMS[code].status === status)
          .map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`)
          .join(" "),
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    ]),
  );
}

function toJsonSchema(schema: z.ZodType): object {
  // `$schema` belongs to a document; here the OpenAPI version says which dialect it is.
  return { ...z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }), $schema: undefined };
}
