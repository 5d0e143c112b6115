import type { AccessApplication } from "./access-team.js";
import { escapeHtml, htmlPage } from "./html.js";
import type { Person } from "./people.js";

/** Asks who somebody is; their answer is posted to the page's own address. */
export function loginPage(
  { label, url }: AccessApplication,
  people: readonly Person[],
  domain: string,
): string {
  const buttons = people.map(
    ({ name, email }) =>
      `<button name="email" value="${escapeHtml(email)}">${escapeHtml(name)} <small>${escapeHtml(email)}</small></button>`,
  );
  return cardPage(
    `Sign in to ${label}`,
    `<p class="subtle">${escapeHtml(domain)} protects ${escapeHtml(new URL(url).host)}</p>
<h2 id="who">Who are you?</h2>
<form method="post" class="people" aria-labelledby="who">
${buttons.join("\n")}
</form>
<p class="subtle">No password in the sandbox: this is an imitation of Cloudflare Access.</p>`,
  );
}

export function signedOutPage(application: AccessApplication | undefined): string {
  const back = application
    ? `<p><a href="${escapeHtml(application.url)}/">Back to ${escapeHtml(application.label)}</a></p>`
    : "";
  return cardPage("Signed out", `<p>The next page you open asks who you are.</p>\n${back}`);
}

export function cardPage(title: string, body: string): string {
  return htmlPage(title, `<main class="card">\n<h1>${escapeHtml(title)}</h1>\n${body}\n</main>`);
}
