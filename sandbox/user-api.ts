import { randomUUID } from "node:crypto";

import type { Product } from "../src/tenants/tenant.js";
import type { Scope } from "./atlassian-oauth.js";
import type { AtlassianSite } from "./atlassian-site.js";
import { json, type Answer, type Incoming } from "./http-server.js";
import type { Person } from "./people.js";
import { PROJECT, type Comment, type Issue, type Page } from "./site-content.js";
import { searchIssues, searchPages } from "./site-search.js";

type UserHandler = (person: Person, request: Incoming, match: RegExpExecArray) => Answer;
type UserRoute = readonly [
  product: Product,
  method: string,
  path: RegExp,
  scope: Scope,
  handler: UserHandler,
];

/** The REST calls of Jira and Confluence that an app may make as a person, with a token of that person's. */
export function addUserApi(site: AtlassianSite): void {
  for (const [product, method, path, scope, handler] of createUserRoutes(site)) {
    site.server.routes.push([
      method,
      path,
      (request, match) => {
        const actor = site.oauth?.findActor(site, product, request);
        if (!actor) return dress(unauthorized());
        if (!actor.scopes.includes(scope)) return dress(lacksScope(scope));
        return dress(handler(actor.person, request, match));
      },
    ]);
  }
}

/** What the products have for people, whichever way an app's call comes. */
export type SiteData = Pick<AtlassianSite, "accounts" | "content" | "url">;

export function createUserRoutes(site: SiteData): readonly UserRoute[] {
  const { content } = site;
  const routes: UserRoute[] = [];
  const add = (...route: UserRoute) => routes.push(route);
  const name = (accountId: string | null) => {
    const person = site.accounts.get(accountId ?? "");
    return person ? describePerson(person) : null;
  };

  add("jira", "GET", /^\/rest\/api\/3\/myself$/, "READ", (person) => json(200, describePerson(person)));
  add("jira", "GET", /^\/rest\/api\/3\/search\/jql$/, "READ", (person, { url }) => {
    const found = searchIssues(content.issuesOf(person), url.searchParams.get("jql") ?? "", person);
    if (!found) return problem(400, "The sandbox doesn't understand this JQL.");
    return json(200, { issues: found.map((issue) => describeIssue(issue, name)), isLast: true });
  });
  add("jira", "GET", /^\/rest\/api\/3\/issue\/([^/]+)$/, "READ", (person, _, [, key = ""]) => {
    const issue = content.findIssue(key, person);
    return issue ? json(200, describeIssue(issue, name)) : noIssue();
  });
  add("jira", "GET", /^\/rest\/api\/3\/issue\/([^/]+)\/comment$/, "READ", (person, _, [, key = ""]) => {
    const issue = content.findIssue(key, person);
    if (!issue) return noIssue();
    const comments = issue.comments.map((comment) => describeComment(comment, name));
    return json(200, { startAt: 0, maxResults: 5000, total: comments.length, comments });
  });
  add(
    "jira",
    "POST",
    /^\/rest\/api\/3\/issue\/([^/]+)\/comment$/,
    "WRITE",
    (person, { body }, [, key = ""]) => {
      const issue = content.findIssue(key, person);
      if (!issue) return noIssue();
      const sent = parse(body);
      if (typeof sent?.["body"] !== "object") return problem(400, "Comment body is not valid!");
      return json(201, describeComment(content.addComment(issue, person, sent["body"]), name));
    },
  );
  add("jira", "POST", /^\/rest\/api\/3\/issue$/, "WRITE", (person, { body }) => {
    const { project, summary } = (parse(body)?.["fields"] ?? {}) as {
      project?: { key?: string };
      summary?: string;
    };
    if (project?.key !== PROJECT.key) return problem(400, "valid project is required");
    if (!summary) return problem(400, "You must specify a summary of the issue.");
    const issue = content.addIssue({ summary, assigneeId: null, reporterId: person.accountId });
    return json(201, { id: issue.id, key: issue.key, self: `${site.url}/rest/api/3/issue/${issue.id}` });
  });
  add("confluence", "GET", /^\/wiki\/rest\/api\/user\/current$/, "READ", (person) =>
    json(200, { type: "known", accountId: person.accountId, displayName: person.name }),
  );
  add("confluence", "GET", /^\/wiki\/api\/v2\/pages\/(\d+)$/, "READ", (person, _, [, pageId = ""]) => {
    const page = content.findPage(pageId, person);
    if (!page) return json(404, { errors: [{ status: 404, code: "NOT_FOUND", title: "Not Found" }] });
    const body = { storage: { representation: "storage", value: `<p>${page.text}</p>` } };
    return json(200, { ...describePage(page), body });
  });
  add("confluence", "GET", /^\/wiki\/api\/v2\/pages$/, "READ", (person) =>
    json(200, { results: content.pagesOf(person).map(describePage), _links: {} }),
  );
  add("confluence", "GET", /^\/wiki\/rest\/api\/search$/, "READ", (person, { url }) => {
    const cql = url.searchParams.get("cql");
    const found = cql === null ? null : searchPages(content.pagesOf(person), cql);
    if (!found) return json(400, { statusCode: 400, message: "The sandbox doesn't understand this CQL." });
    const results = found.map((page) => ({
      content: { ...describePage(page), type: "page" },
      title: page.title,
      excerpt: page.text,
    }));
    return json(200, { results, start: 0, limit: 25, size: results.length, totalSize: results.length });
  });
  return routes;
}

export function unauthorized(): Answer {
  return json(401, { code: 401, message: "Unauthorized" });
}

/** The headers that Atlassian's answers have, among them some that must not reach everybody. */
export function dress(answer: Answer): Answer {
  return {
    ...answer,
    headers: {
      ...answer.headers,
      "atl-traceid": randomUUID().replaceAll("-", ""),
      "x-ratelimit-limit": "350",
      "x-ratelimit-remaining": "349",
      "set-cookie": "atlassian.xsrf.token=sandbox; Path=/; Secure",
      "strict-transport-security": "max-age=63072000",
      server: "AtlassianEdge",
    },
  };
}

function lacksScope(scope: Scope): Answer {
  const refusal = problem(403, `The request needs the scope ${scope}.`);
  return { ...refusal, headers: { ...refusal.headers, "x-failure-category": "FAILURE_CLIENT_SCOPE_CHECK" } };
}

function noIssue(): Answer {
  return problem(404, "Issue does not exist or you do not have permission to see it.");
}

function problem(status: number, message: string): Answer {
  return json(status, { errorMessages: [message], errors: {} });
}

type NameAccount = (accountId: string | null) => object | null;

function describePerson({ accountId, accountType, active, name }: Person): object {
  return { accountId, accountType, active, displayName: name };
}

function describeIssue(issue: Issue, nameAccount: NameAccount): object {
  return {
    id: issue.id,
    key: issue.key,
    fields: {
      summary: issue.summary,
      status: { name: issue.isDone ? "Done" : "To Do" },
      project: PROJECT,
      assignee: nameAccount(issue.assigneeId),
      reporter: nameAccount(issue.reporterId),
      comment: { comments: issue.comments.map((comment) => describeComment(comment, nameAccount)) },
    },
  };
}

function describeComment({ id, accountId, body }: Comment, nameAccount: NameAccount): object {
  return { id, author: nameAccount(accountId), body };
}

function describePage({ id, title }: Page): object {
  return { id, title, status: "current" };
}

function parse(body: string): Readonly<Record<string, unknown>> | null {
  try {
    return JSON.parse(body) as Readonly<Record<string, unknown>> | null;
  } catch {
    return null;
  }
}
