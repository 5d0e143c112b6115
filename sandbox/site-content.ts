import { ADA, GRACE, LINUS, type Person } from "./people.js";

export interface Comment {
  readonly id: string;
  readonly accountId: string;
  /** Atlassian's document format, as it was sent. */
  readonly body: unknown;
}

export interface Issue {
  readonly id: string;
  readonly key: string;
  readonly summary: string;
  readonly isDone: boolean;
  readonly assigneeId: string | null;
  readonly reporterId: string;
  /** Null when everybody may see it. */
  readonly visibleTo: readonly string[] | null;
  readonly comments: Comment[];
}

export interface Page {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly visibleTo: readonly string[] | null;
}

type IssueDraft = Pick<Issue, "summary" | "assigneeId" | "reporterId"> &
  Partial<Pick<Issue, "isDone" | "visibleTo">>;

export const PROJECT = { id: "10000", key: "SAND", name: "Sandbox" };

/** A small project and a few pages, some of which only some people may see. */
export class SiteContent {
  readonly issues: Issue[] = [];
  readonly pages: Page[] = [
    { id: "101", title: "How we work", text: "Together.", visibleTo: null },
    { id: "102", title: "Salaries", text: "All the same.", visibleTo: [ADA.accountId] },
  ];

  constructor() {
    const [ada, grace, linus] = [ADA.accountId, GRACE.accountId, LINUS.accountId];
    this.addIssue({ summary: "Water the plants", assigneeId: grace, reporterId: ada });
    this.addIssue({ summary: "Count the pencils", assigneeId: linus, reporterId: grace });
    this.addIssue({ summary: "Sharpen the pencils", assigneeId: grace, reporterId: linus, isDone: true });
    this.addIssue({ summary: "A surprise for Grace", assigneeId: ada, reporterId: ada, visibleTo: [ada] });
  }

  addIssue(draft: IssueDraft): Issue {
    const number = this.issues.length + 1;
    const issue: Issue = {
      ...{ isDone: false, visibleTo: null, comments: [], ...draft },
      id: String(10_000 + number),
      key: `${PROJECT.key}-${number}`,
    };
    this.issues.push(issue);
    return issue;
  }

  addComment(issue: Issue, { accountId }: Person, body: unknown): Comment {
    const comment = { id: `${issue.id}${issue.comments.length + 1}`, accountId, body };
    issue.comments.push(comment);
    return comment;
  }

  /** What somebody may not see isn't there for them. */
  findIssue(keyOrId: string, viewer: Person): Issue | null {
    return this.issuesOf(viewer).find(({ key, id }) => key === keyOrId || id === keyOrId) ?? null;
  }

  issuesOf(viewer: Person): Issue[] {
    return this.issues.filter((issue) => isVisible(issue, viewer));
  }

  findPage(pageId: string, viewer: Person): Page | null {
    return this.pagesOf(viewer).find(({ id }) => id === pageId) ?? null;
  }

  pagesOf(viewer: Person): Page[] {
    return this.pages.filter((page) => isVisible(page, viewer));
  }
}

/** A text in Atlassian's document format. */
export function documentOf(text: string): object {
  return { type: "doc", version: 1, content: [{ type: "paragraph", content: [{ type: "text", text }] }] };
}

function isVisible({ visibleTo }: Pick<Issue, "visibleTo">, { accountId }: Person): boolean {
  return visibleTo === null || visibleTo.includes(accountId);
}
