import type { Product } from "../src/tenants/tenant.js";
import { escapeHtml, htmlPage } from "./html.js";
import { productName } from "../src/web/product-name.js";

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

export interface Refusal {
  readonly problem: Problem;
  /** Who they are in Access; null when the token doesn't tell. */
  readonly email: string | null;
  /** Whose page the link opens in the sandbox; null for whoever was chosen there last. */
  readonly opensAs: string | null;
}

export type Visitor = { readonly identity: Identity } | Refusal;

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
      : [
          visitor.problem.title,
          visitor.email === null ? [] : signedInSentence(visitor.email),
          visitor.problem.detail,
          visitor.problem.linkUrl ?? [],
        ].flat();
  return `${lines.join("\n")}\n`;
}

export function demoPage(visitor: Visitor): string {
  const title = "identity" in visitor ? greeting(visitor.identity) : visitor.problem.title;
  return htmlPage(
    title,
    `<main class="paper">
<p class="subtle">Demo service, an internal tool behind Cloudflare Access</p>
<h1>${escapeHtml(title)}</h1>
${"identity" in visitor ? presentIdentity(visitor.identity) : presentRefusal(visitor)}
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

function presentRefusal({ problem: { detail, code, linkUrl }, email, opensAs }: Refusal): string {
  const whose = opensAs ?? "the person chosen in the site's purple bar";
  const link = linkUrl
    ? `<p><a class="button" href="${escapeHtml(linkUrl)}">Link your account</a></p>
<p class="subtle">In the sandbox, the page opens as ${escapeHtml(whose)}.</p>`
    : "";
  const signedIn = email === null ? "" : `<p>${escapeHtml(signedInSentence(email))}</p>\n`;
  return `${signedIn}<p>${escapeHtml(detail)}</p>
${link}
<p class="subtle">The app's answer was <code>${escapeHtml(code)}</code>.</p>`;
}

function greeting({ email }: Identity): string {
  return `Hello, ${email}`;
}

function signedInSentence(email: string): string {
  return `You are signed in to Access as ${email}.`;
}

function accountSentence({ product, accountId }: Identity): string {
  return `In ${productName(product)} you are the account ${accountId}.`;
}
