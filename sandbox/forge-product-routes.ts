import type { Product } from "../src/tenants/tenant.js";
import { json, type Answer, type Incoming } from "./http-server.js";
import type { Person } from "./people.js";
import { confluenceUser, jiraUser } from "./product-api.js";
import { createUserRoutes, type SiteData } from "./user-api.js";

type ProductRoute = readonly [
  Product,
  method: string,
  path: RegExp,
  handler: (person: Person, request: Incoming, match: RegExpExecArray) => Answer,
];

/** The REST calls of Jira and Confluence that a Forge app may make, as itself or as a person. */
export function createProductRoutes(site: SiteData): readonly ProductRoute[] {
  const findAccount = ({ url }: Incoming) => site.accounts.get(url.searchParams.get("accountId") ?? "");
  return [
    ["jira", "GET", /^\/rest\/api\/3\/myself$/, (person) => jiraUser(person)],
    ["jira", "GET", /^\/rest\/api\/3\/user$/, (_, request) => jiraUser(findAccount(request))],
    ["jira", "GET", /^\/rest\/api\/3\/mypermissions$/, describePermissions],
    [
      "confluence",
      "GET",
      /^\/wiki\/rest\/api\/user\/current$/,
      (person, request) => confluenceUser(person, request),
    ],
    [
      "confluence",
      "GET",
      /^\/wiki\/rest\/api\/user$/,
      (_, request) => confluenceUser(findAccount(request), request),
    ],
    ...createUserRoutes(site).map(([product, method, path, , handler]): ProductRoute => [
      product,
      method,
      path,
      handler,
    ]),
  ];
}

function describePermissions({ administers }: Person, { url }: Incoming): Answer {
  const keys = url.searchParams.get("permissions");
  if (!keys) return json(400, { errorMessages: ["The 'permissions' query parameter is required."] });
  const has = (key: string) => key !== "ADMINISTER" || administers.includes("jira");
  const permissions = keys.split(",").map((key) => [key, { key, type: "GLOBAL", havePermission: has(key) }]);
  return json(200, { permissions: Object.fromEntries(permissions) as object });
}
