import type { Person } from "./people.js";
import { PROJECT, type Issue, type Page } from "./site-content.js";

const JQL_CLAUSES: Readonly<Record<string, (issue: Issue, person: Person) => boolean>> = {
  "assignee=currentuser()": ({ assigneeId }, { accountId }) => assigneeId === accountId,
  "reporter=currentuser()": ({ reporterId }, { accountId }) => reporterId === accountId,
  "statuscategory!=done": ({ isDone }) => !isDone,
  "resolution=unresolved": ({ isDone }) => !isDone,
  [`project=${PROJECT.key.toLowerCase()}`]: () => true,
};
/** There are only pages. */
const CQL_CLAUSES: readonly string[] = ["type=page"];

/** `text ~ "words"`, which may say anything in its string. */
const JQL_TEXT = /\btext *~ *("(?:[^"\\]|\\.)*")/;
const CQL_TEXT = /\b(?:text|title|siteSearch) *~ *("(?:[^"\\]|\\.)*")/;

/** A few clauses of JQL joined by AND, in any order; null for anything else. */
export function searchIssues(issues: readonly Issue[], jql: string, person: Person): Issue[] | null {
  const query = readQuery(jql, JQL_TEXT);
  if (!query) return null;
  const clauses = query.clauses.map((clause) => JQL_CLAUSES[clause]);
  if (clauses.includes(undefined)) return null;
  return issues.filter(
    (issue) =>
      issue.summary.toLowerCase().includes(query.words) && clauses.every((fits) => fits?.(issue, person)),
  );
}

/** The same of CQL, whose clauses say less. */
export function searchPages(pages: readonly Page[], cql: string): Page[] | null {
  const query = readQuery(cql, CQL_TEXT);
  if (!query?.clauses.every((clause) => CQL_CLAUSES.includes(clause))) return null;
  return pages.filter(({ title, text }) => `${title} ${text}`.toLowerCase().includes(query.words));
}

interface Query {
  readonly words: string;
  readonly clauses: readonly string[];
}

function readQuery(query: string, text: RegExp): Query | null {
  const words = readString(text.exec(query)?.[1] ?? '""')?.toLowerCase();
  if (words === undefined) return null;
  const clauses = query
    .replace(text, "")
    .toLowerCase()
    .replace(/\border by .*$/, "")
    .split(/\band\b/)
    .map((clause) => clause.replace(/[\s"']/g, ""))
    .filter(Boolean);
  return { words, clauses };
}

/** Escapes in JQL are those of JSON. */
function readString(literal: string): string | undefined {
  try {
    return JSON.parse(literal) as string;
  } catch {
    return undefined;
  }
}
