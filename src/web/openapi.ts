import type { ProblemCode } from "../errors.js";
import { settingsDocument } from "../services/settings-document.js";
import * as schemas from "./api-schemas.js";
import {
  assertionRequest,
  confirmRequest,
  consentRequest,
  linkRequest,
  newsSeenRequest,
} from "./me-routes.js";
import { activityQuery, auditQuery, linksQuery } from "./query.js";
import {
  HEADERS,
  presentOperation,
  SECURITY_SCHEMES,
  toJsonSchema,
  type Operation,
} from "./openapi-operation.js";
import { popupRequest } from "./popup-routes.js";
import { identityQuery } from "./service-api.js";
import { settingsCheckRequest, takeOverRequest } from "./settings-routes.js";

const PAGE: Operation["security"] = [["contextJwt"], ["forgeToken"]];
const SERVICE: Operation["security"] = [["accessJwt"], ["accessJwt", "serviceKey"]];

const CONTEXT: readonly ProblemCode[] = [
  "connect_jwt_missing",
  "connect_jwt_invalid",
  "connect_jwt_expired",
  "forge_jwt_invalid",
  "forge_jwt_expired",
  "keys_unavailable",
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

type Operations = Readonly<Record<string, Operation>>;

const OPERATIONS: Readonly<Record<string, Operations>> = {
  "/api/v1/settings": {
    get: {
      id: "getSettings",
      summary: "Read the tenant's settings",
      security: PAGE,
      answers: { 200: schemas.settings },
      problems: ADMIN,
    },
    put: {
      id: "replaceSettings",
      summary: "Replace the tenant's settings",
      security: PAGE,
      body: settingsDocument,
      answers: { 200: schemas.settings },
      problems: [...ADMIN, ...BODY, "version_conflict"],
    },
  },
  "/api/v1/settings/check": {
    post: {
      id: "checkTeam",
      summary: "Fetch a team's keys now and say what came back",
      security: PAGE,
      body: settingsCheckRequest,
      isBodyOptional: true,
      answers: { 200: schemas.teamCheck },
      problems: [...ADMIN, ...BODY],
    },
  },
  "/api/v1/settings/popup-check": {
    post: {
      id: "checkPopup",
      summary: "Look from outside whether the linking window is behind the right Access application",
      security: PAGE,
      answers: { 200: schemas.popupCheck },
      problems: ADMIN,
    },
  },
  "/api/v1/settings/assertion-keys/rotate": {
    post: {
      id: "rotateAssertionKeys",
      summary: "Sign assertions with a new key, and withdraw all others at once",
      security: PAGE,
      answers: { 200: schemas.signingKey },
      problems: ADMIN,
    },
  },
  "/api/v1/settings/predecessor": {
    get: {
      id: "findPredecessor",
      summary: "Whether the app is installed here a second time, and what could be taken over from there",
      security: PAGE,
      answers: { 200: schemas.predecessor },
      problems: ADMIN,
    },
  },
  "/api/v1/settings/predecessor/take-over": {
    post: {
      id: "takeOver",
      summary: "Take over all that the other installation has: settings, keys, links, consents and records",
      security: PAGE,
      body: takeOverRequest,
      answers: { 200: schemas.settings },
      problems: [...ADMIN, ...BODY, "not_found", "version_conflict"],
    },
  },
  "/api/v1/services": {
    get: {
      id: "listServices",
      summary: "The trusted services: who agreed to them, which keys they have, and how they are used",
      security: PAGE,
      answers: { 200: schemas.pageOf(schemas.serviceOverview) },
      problems: ADMIN,
    },
  },
  "/api/v1/services/{serviceId}/keys": {
    post: {
      id: "createServiceKey",
      summary: "Make a key for a service, which must be sent with its calls from then on",
      security: PAGE,
      path: ["serviceId"],
      answers: { 201: schemas.createdServiceKey },
      problems: [...ADMIN, "not_found", "validation_failed"],
    },
  },
  "/api/v1/services/{serviceId}/keys/{keyId}": {
    delete: {
      id: "removeServiceKey",
      summary: "Remove a key of a service",
      security: PAGE,
      path: ["serviceId", "keyId"],
      answers: { 204: null },
      problems: [...ADMIN, "not_found"],
    },
  },
  "/api/v1/links": {
    get: {
      id: "listLinks",
      summary: "List the tenant's links, newest first",
      security: PAGE,
      query: linksQuery,
      answers: { 200: schemas.pageOf(schemas.link) },
      problems: [...ADMIN, "malformed_request", "validation_failed"],
    },
  },
  "/api/v1/links/{id}": {
    delete: {
      id: "removeLink",
      summary: "Remove a link of the tenant",
      security: PAGE,
      path: ["id"],
      answers: { 204: null },
      problems: [...ADMIN, "not_found"],
    },
  },
  "/api/v1/links/{id}/restore": {
    post: {
      id: "restoreLink",
      summary: "Undo the removal of a link by an admin, within ten minutes",
      security: PAGE,
      path: ["id"],
      answers: { 200: schemas.link },
      problems: [...ADMIN, "not_found"],
    },
  },
  "/api/v1/audit": {
    get: {
      id: "listAuditEvents",
      summary: "List the tenant's audit events, newest first",
      security: PAGE,
      query: auditQuery,
      answers: { 200: schemas.pageOf(schemas.auditItem) },
      problems: [...ADMIN, "malformed_request", "validation_failed"],
    },
  },
  "/api/v1/me": {
    get: {
      id: "getMe",
      summary: "Who I am, what is linked, and which services may act for me",
      security: PAGE,
      answers: { 200: schemas.me },
      problems: USER,
    },
  },
  "/api/v1/me/link-attempts": {
    post: {
      id: "beginLinkAttempt",
      summary: "Begin to link: open the url in a window",
      security: PAGE,
      answers: { 201: schemas.linkAttempt },
      problems: [...USER, "purpose_not_allowed", "paused"],
    },
  },
  "/api/v1/me/links": {
    post: {
      id: "linkMe",
      summary: "Link, with the code that the window gave or with a fresh Access JWT",
      security: PAGE,
      body: linkRequest,
      answers: { 200: schemas.link, 201: schemas.link },
      problems: [...USER, ...BODY, ...TOKEN, "token_too_old", "already_linked", "attempt_expired"],
    },
  },
  "/api/v1/me/links/{id}": {
    delete: {
      id: "unlinkMe",
      summary: "Unlink",
      security: PAGE,
      path: ["id"],
      answers: { 204: null },
      problems: [...USER, "paused", "not_found"],
    },
  },
  "/api/v1/me/links/{id}/confirm": {
    post: {
      id: "confirmMyLink",
      summary: "Confirm a link that wasn't proved: services may then act for me through it",
      security: PAGE,
      path: ["id"],
      body: confirmRequest,
      answers: { 200: schemas.link },
      problems: [...USER, ...BODY, "paused", "not_found", "consent_changed"],
    },
  },
  "/api/v1/me/news/seen": {
    post: {
      id: "markNewsSeen",
      summary: "Say that I have been told what is new, until the newest time that was shown",
      security: PAGE,
      body: newsSeenRequest,
      answers: { 204: null },
      problems: [...USER, ...BODY, "paused"],
    },
  },
  "/api/v1/me/activity": {
    get: {
      id: "listMyActivity",
      summary: "What services have done as me, newest first",
      security: PAGE,
      query: activityQuery,
      answers: { 200: schemas.pageOf(schemas.activity) },
      problems: [...USER, "malformed_request", "validation_failed"],
    },
  },
  "/api/v1/me/consents/{serviceId}": {
    put: {
      id: "giveConsent",
      summary: "Agree to what a service may do for me",
      security: PAGE,
      path: ["serviceId"],
      body: consentRequest,
      answers: { 204: null },
      problems: [...USER, ...BODY, "paused", "not_found", "consent_changed"],
    },
    delete: {
      id: "withdrawConsent",
      summary: "Let a service do nothing more for me, also where an admin gave consent for everybody",
      security: PAGE,
      path: ["serviceId"],
      answers: { 204: null },
      problems: [...USER, "paused", "not_found"],
    },
  },
  "/api/v1/me/assertions": {
    post: {
      id: "createAssertion",
      summary: "Tell a trusted service who I am: a token for it, for a minute",
      security: PAGE,
      body: assertionRequest,
      answers: { 201: schemas.assertion },
      problems: [
        ...USER,
        ...BODY,
        "paused",
        "not_found",
        "purpose_not_allowed",
        "not_linked",
        "email_domain_not_allowed",
        "proof_required",
        "consent_required",
      ],
    },
  },
  "/access/link/{attempt}": {
    post: {
      id: "agreeInPopup",
      summary: "In the window behind Access: agree, and get the one-time code",
      security: [["accessAssertion"]],
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
      id: "identify",
      summary: "Who is my visitor in Jira or Confluence?",
      security: SERVICE,
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
        "service_key_required",
        "not_linked",
        "ambiguous_site",
      ],
    },
  },
  "/sites/{site}/jira/jwks.json": assertionKeys("Jira"),
  "/sites/{site}/confluence/jwks.json": assertionKeys("Confluence"),
  "/api/v1/sites/{site}/jira/{path}": actingCalls("Jira"),
  "/api/v1/sites/{site}/confluence/{path}": actingCalls("Confluence"),
};

function actingCalls(productName: string): Operations {
  const operation = {
    summary: `Call ${productName} as the person; the path may have any number of segments, and the query is passed on`,
    description: [
      "OpenAPI can't say that a path parameter holds slashes: a generated client sends %2F, which is refused (request_not_allowed). Build this URL yourself, or give the client a pathSerializer that leaves slashes alone.",
      "HEAD is taken as well.",
      `Where X-Gateway-Upstream stands on an answer, it is ${productName}'s own, of whatever status and type; where it doesn't, it is a refusal of this app's.`,
    ].join(" "),
    security: SERVICE,
    path: ["site", "path"],
    answers: { 200: null },
    passesOn: `${productName}'s own answer, of any status.`,
    problems: [
      "access_jwt_missing",
      "ambiguous_credentials",
      ...TOKEN,
      "malformed_request",
      "browser_not_allowed",
      "service_key_required",
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
  } satisfies Omit<Operation, "id">;
  const withId = (verb: string): Operation => ({ ...operation, id: `${verb}${productName}` });
  return {
    get: withId("get"),
    put: withId("put"),
    post: withId("post"),
    patch: withId("patch"),
    delete: withId("delete"),
  };
}

function assertionKeys(productName: string): Operations {
  return {
    get: {
      id: `list${productName}AssertionKeys`,
      summary: `The public keys of assertions about people in ${productName}; none for a site that isn't known`,
      security: [],
      path: ["site"],
      answers: { 200: schemas.publicKeys },
      problems: [],
    },
  };
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
          Object.entries(operations).map(([verb, operation]) => [verb, presentOperation(operation, verb)]),
        ),
      ]),
    ),
    components: {
      securitySchemes: SECURITY_SCHEMES,
      headers: HEADERS,
      schemas: { Problem: toJsonSchema(schemas.problem) },
    },
  };
}
