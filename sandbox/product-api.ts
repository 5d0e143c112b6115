import { jwtVerify } from "jose";

import type { Product } from "../src/tenants/tenant.js";
import type { AtlassianSite } from "./atlassian-site.js";
import { json, type Answer, type Handler, type Incoming } from "./http-server.js";
import { queryStringHash } from "./jwt.js";
import type { Person } from "./people.js";

/** The REST calls of Jira and Confluence that the app makes, each of which verifies the app's own JWT first, as they do. */
export function addProductApi(site: AtlassianSite): void {
  const asApp =
    (product: Product, handler: Handler): Handler =>
    async (request, match) => {
      const refusal = await findRefusal(site, product, request);
      return refusal ? json(401, { message: refusal }) : handler(request, match);
    };
  const findAccount = ({ url }: Incoming) => site.accounts.get(url.searchParams.get("accountId") ?? "");

  site.server.routes.push(
    [
      "POST",
      /^\/rest\/api\/3\/permissions\/check$/,
      asApp("jira", (request) => checkPermissions(site, request)),
    ],
    ["GET", /^\/rest\/api\/3\/user$/, asApp("jira", (request) => jiraUser(findAccount(request)))],
    [
      "GET",
      /^\/wiki\/rest\/api\/user$/,
      asApp("confluence", (request) => confluenceUser(findAccount(request), request)),
    ],
    [
      "GET",
      /^\/rest\/atlassian-connect\/1\/addons\/(.+)$/,
      asApp("jira", (_, [, key]) => addon(site, "jira", key)),
    ],
    [
      "GET",
      /^\/wiki\/rest\/atlassian-connect\/1\/addons\/(.+)$/,
      asApp("confluence", (_, [, key]) => addon(site, "confluence", key)),
    ],
  );
}

/** Those that the app's pages make as whoever looks at them. */
export function addVisitorApi(site: Pick<AtlassianSite, "server" | "accounts" | "findVisitor">): void {
  const asVisitor =
    (handler: Handler): Handler =>
    (request, match) =>
      site.findVisitor(request) ? handler(request, match) : json(401, { message: "Nobody is signed in." });
  const findAccounts = ({ url }: Incoming) =>
    url.searchParams.getAll("accountId").flatMap((accountId) => site.accounts.get(accountId) ?? []);

  site.server.routes.push(
    [
      "GET",
      /^\/rest\/api\/3\/user\/bulk$/,
      asVisitor((request) => jiraUsers(findAccounts(request), request)),
    ],
    [
      "GET",
      /^\/wiki\/rest\/api\/user\/bulk$/,
      asVisitor((request) => confluenceUsers(findAccounts(request))),
    ],
  );
}

/** Why a call isn't the installed app's, or null when it is. */
async function findRefusal(site: AtlassianSite, product: Product, request: Incoming): Promise<string | null> {
  const installation = site.findInstallation(product);
  const token = /^JWT (\S+)$/.exec(request.headers.authorization ?? "")?.[1];
  if (!token) return "There is no Authorization: JWT header.";
  if (!installation?.app) return "The app isn't installed.";
  try {
    const { payload } = await jwtVerify(token, Buffer.from(installation.sharedSecret), {
      algorithms: ["HS256"],
      issuer: installation.app.key,
      requiredClaims: ["iat", "exp"],
    });
    const expected = queryStringHash(request.method, request.url.href, site.baseUrl(product));
    return payload["qsh"] === expected ? null : "The JWT was made for another request (qsh).";
  } catch (error) {
    return error instanceof Error ? error.message : "The JWT can't be verified.";
  }
}

function checkPermissions(site: AtlassianSite, request: Incoming): Answer {
  const body = JSON.parse(request.body) as { accountId?: string; globalPermissions?: string[] };
  // Without an account, Jira answers for the app itself, which may do anything: a trap for careless callers.
  const isAdmin = !body.accountId || site.accounts.get(body.accountId)?.administers.includes("jira");
  return json(200, {
    projectPermissions: [],
    globalPermissions: isAdmin ? (body.globalPermissions ?? []) : [],
  });
}

export function jiraUser(person: Person | undefined): Answer {
  if (!person)
    return json(404, { errorMessages: ["There is no such user, or it is none of your business."] });
  return json(200, { ...describeInJira(person), timeZone: "Europe/Berlin", locale: "en_US" });
}

/** Unknown accounts are left out. */
function jiraUsers(people: readonly Person[], { url }: Incoming): Answer {
  const startAt = Number(url.searchParams.get("startAt") ?? "0");
  const maxResults = Number(url.searchParams.get("maxResults") ?? "10");
  const values = people.slice(startAt, startAt + maxResults).map(describeInJira);
  const isLast = startAt + values.length >= people.length;
  return json(200, { maxResults, startAt, total: people.length, isLast, values });
}

function describeInJira({ accountId, accountType, active, name }: Person): object {
  return { accountId, accountType, active, displayName: name };
}

export function confluenceUser(person: Person | undefined, { url }: Incoming): Answer {
  if (!person) return json(404, { statusCode: 404, message: "There is no such user." });
  const { active, administers } = person;
  const names = [...(active ? ["use"] : []), ...(administers.includes("confluence") ? ["administer"] : [])];
  return json(200, {
    ...describeInConfluence(person),
    ...(url.searchParams.get("expand") === "operations" && {
      operations: names.map((operation) => ({ operation, targetType: "application" })),
    }),
  });
}

function confluenceUsers(people: readonly Person[]): Answer {
  const results = people.map(describeInConfluence);
  return json(200, { results, start: 0, limit: 200, size: results.length });
}

function describeInConfluence({ accountId, accountType, active, name }: Person): object {
  return {
    type: "known",
    accountId,
    accountType,
    accountStatus: active ? "active" : "inactive",
    publicName: name,
    displayName: name,
  };
}

function addon(site: AtlassianSite, product: Product, key: string | undefined): Answer {
  const isInstalled = site.findInstallation(product)?.app?.key === key;
  if (!isInstalled) return json(404, { message: "There is no such app." });
  return json(200, { key, version: "1.0.0-AC", state: "ENABLED", host: { product } });
}
