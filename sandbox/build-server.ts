import { execFile } from "node:child_process";
import { env } from "node:process";

import { escapeHtml, htmlPage } from "./html.js";
import { html, startServer, text, type Answer, type Incoming, type Server } from "./http-server.js";

interface Options {
  readonly APP_URL: string;
  readonly SITE: string;
  /** `comment.sh`. */
  readonly script: string;
}

interface Build {
  readonly issue: string;
  readonly comment: string;
  readonly exitCode: number;
  readonly log: string;
}

/** Stands in for Jenkins: behind Access, with one job, whose last step comments on an issue as whoever started it. */
export async function startBuildServer(options: Options): Promise<Server> {
  const server = await startServer();
  server.routes.push(
    ["GET", /^\/$/, () => html(200, buildPage(null))],
    ["POST", /^\/$/, (request) => build(request, options)],
  );
  return server;
}

async function build({ headers, body }: Incoming, { script, ...program }: Options): Promise<Answer> {
  const accessJwt = headers["cf-access-jwt-assertion"];
  if (typeof accessJwt !== "string") return text(401, "Builds are started through Access only.\n");
  const form = new URLSearchParams(body);
  const [issue, comment] = [form.get("issue") ?? "", form.get("comment") ?? ""];
  const environment = { PATH: env["PATH"], ...program, ACCESS_JWT: accessJwt };
  const finished = await new Promise<Pick<Build, "exitCode" | "log">>((resolve) => {
    const child = execFile("bash", [script, issue, comment], { env: environment }, (_error, out, err) =>
      resolve({ exitCode: child.exitCode ?? 1, log: `${out}${err}` }),
    );
  });
  return html(200, buildPage({ issue, comment, ...finished }));
}

function buildPage(last: Build | null): string {
  const { issue, comment } = last ?? { issue: "SAND-1", comment: "The build is done." };
  return htmlPage(
    "Builds",
    `<main class="paper">
<p class="subtle">A build server behind Cloudflare Access</p>
<h1>Builds</h1>
${last ? presentBuild(last) : "<p>The last step of the build comments on an issue in Jira as whoever starts it.</p>"}
<form method="post">
<p><label>Issue <input name="issue" value="${escapeHtml(issue)}"></label></p>
<p><label>Comment <input name="comment" value="${escapeHtml(comment)}"></label></p>
<p><button class="button">Start the build</button></p>
</form>
<p class="subtle">In the sandbox, pages of Jira open as the person chosen in the site's purple bar.</p>
<p><a href="/cdn-cgi/access/logout">Sign out of Access</a></p>
</main>`,
  );
}

function presentBuild({ exitCode, log }: Build): string {
  const marked = escapeHtml(log).replace(/^https?:\S+$/gm, (url) => `<a href="${url}">${url}</a>`);
  return `<h2>${exitCode === 0 ? "The build succeeded" : `The build failed: exit code ${exitCode}`}</h2>
<pre>${marked}</pre>`;
}
