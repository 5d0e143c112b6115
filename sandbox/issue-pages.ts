import type { AtlassianSite } from "./atlassian-site.js";
import { escapeHtml } from "./html.js";
import type { Choices } from "./site-choices.js";
import { PROJECT, type Comment, type Issue } from "./site-content.js";
import { productHeader, sitePage } from "./site-pages.js";

/** The issues that somebody may see in Jira, with what was said about them, and by whom. */
export function issuesPage(site: AtlassianSite, choices: Choices): string {
  const nameOf = (accountId: string | null) => site.accounts.get(accountId ?? "")?.name ?? "nobody";
  const appKey = site.findInstallation("jira")?.app?.key ?? null;
  const issues = site.content.issuesOf(choices.person).map((issue) => issueItem(issue, nameOf));
  return sitePage(site, choices, {
    title: `Issues - ${PROJECT.name}`,
    body: `${productHeader(choices, { product: "jira", appKey, moduleKey: null })}
<main class="paper">
<h1>${escapeHtml(PROJECT.name)}: issues that ${escapeHtml(choices.person.name)} may see</h1>
<ul class="issues">
${issues.join("\n")}
</ul>
</main>`,
  });
}

type NameAccount = (accountId: string | null) => string;

function issueItem(
  { key, summary, isDone, assigneeId, reporterId, comments }: Issue,
  nameOf: NameAccount,
): string {
  return `<li id="${escapeHtml(key)}">
<h2>${escapeHtml(key)} ${escapeHtml(summary)}</h2>
<p class="subtle">${isDone ? "Done" : "To do"}. Assigned to ${escapeHtml(nameOf(assigneeId))}, reported by ${escapeHtml(nameOf(reporterId))}.</p>
${comments.map((comment) => commentSection(comment, nameOf)).join("\n")}
</li>`;
}

function commentSection({ accountId, body }: Comment, nameOf: NameAccount): string {
  return `<h3>${escapeHtml(nameOf(accountId))} has commented</h3>\n<p>${escapeHtml(textOf(body))}</p>`;
}

/** The words of a document in Atlassian's format. */
function textOf(node: unknown): string {
  if (typeof node !== "object" || node === null) return "";
  const { text, content } = node as { text?: unknown; content?: unknown };
  if (typeof text === "string") return text;
  return Array.isArray(content) ? content.map(textOf).filter(Boolean).join(" ") : "";
}
