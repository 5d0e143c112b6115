import type { Product } from "../src/tenants/tenant.js";
import { escapeHtml, htmlPage } from "./html.js";
import { productName } from "./product-name.js";

/** What `GET /api/v1/sites/{site}/identity` answers, as far as this service looks at it: an identity, or a problem. */
export interface Identity {
  readonly site: string;
  readonly product: Product;
  readonly accountId: string;
  readonly email: string;
  readonly method: string;
  readonly linkedAt: string;
}
export interface Problem {
  readonly title: string;
  readonly detail: string;
  readonly code: string;
  readonly linkUrl?: string;
}

export type Visitor = { readonly identity: Identity } | { readonly problem: Problem };

const PROOFS: Readonly<Record<string, string>> = {
  proof: "by themselves, with proof of both sides",
  email: "by the same e-mail on both sides",
  admin: "by an admin",
};

/** For curl. */
export function demoText(visitor: Visitor): string {
  const lines =
    "identity" in visitor
      ? [greeting(visitor.identity), accountSentence(visitor.identity)]
      : [visitor.problem.title, visitor.problem.detail, visitor.problem.linkUrl ?? []].flat();
  return `${lines.join("\n")}\n`;
}

export function demoPage(visitor: Visitor): string {
  const title = "identity" in visitor ? greeting(visitor.identity) : visitor.problem.title;
  return htmlPage(
    title,
    `<main class="paper">
<p class="subtle">Demo service, an internal tool behind Cloudflare Access</p>
<h1>${escapeHtml(title)}</h1>
${"identity" in visitor ? presentIdentity(visitor.identity) : presentProblem(visitor.problem)}
<p><a href="/cdn-cgi/access/logout">Sign out of Access</a></p>
</main>`,
  );
}

function presentIdentity(identity: Identity): string {
  const { site, product, accountId, email, method, linkedAt } = identity;
  const facts = [
    ["In Access", email],
    [`In ${productName(product)}`, accountId],
    ["Site", site],
    ["Linked", `${PROOFS[method] ?? method}, ${linkedAt.slice(0, 16).replace("T", " ")} UTC`],
  ] as const;
  const rows = facts.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return `<p>${escapeHtml(accountSentence(identity))} This tool has asked the app, with the token that Access gave it for your
visit. It has no password and no API token of ${productName(product)}.</p>
<dl>
${rows.join("\n")}
</dl>`;
}

function presentProblem({ detail, code, linkUrl }: Problem): string {
  const link = linkUrl
    ? `<p><a class="button" href="${escapeHtml(linkUrl)}">Link your account</a></p>
<p class="subtle">The page opens as the person chosen in the site's purple bar.</p>`
    : "";
  return `<p>${escapeHtml(detail)}</p>
${link}
<p class="subtle">The app's answer was <code>${escapeHtml(code)}</code>.</p>`;
}

function greeting({ email }: Identity): string {
  return `Hello, ${email}`;
}

function accountSentence({ product, accountId }: Identity): string {
  return `In ${productName(product)} you are the account ${accountId}.`;
}
