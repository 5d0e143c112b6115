import type { Product } from "../src/tenants/tenant.js";
import { escapeHtml, htmlPage } from "./html.js";
import type { HttpClient } from "./http-client.js";
import { html, startServer, text, type Answer, type Incoming, type Server } from "./http-server.js";
import { productName } from "./product-name.js";

interface Options {
  /** The app's public URL. */
  readonly appUrl: string;
  /** Which Atlassian site, and who this service is: configuration, never taken from a request. */
  readonly site: string;
  readonly product: Product;
  readonly audience: string;
  readonly client: HttpClient;
  readonly port?: number;
}

/** What `GET /api/v1/sites/{site}/identity` answers, as far as this service looks at it: an identity, or a problem. */
interface Identity {
  readonly accountId: string;
  readonly email: string;
}
interface Problem {
  readonly title: string;
  readonly detail: string;
  readonly linkUrl?: string;
}

/** A tiny internal tool behind Access. All it does is tell its visitors who they are in Jira. */
export async function startDemoService(options: Options): Promise<Server> {
  const server = await startServer({ port: options.port ?? 0 });
  server.routes.push(["GET", /^\/$/, (request) => greet(request, options)]);
  return server;
}

async function greet(request: Incoming, options: Options): Promise<Answer> {
  const { appUrl, site, product, audience, client } = options;
  const accessJwt = request.headers["cf-access-jwt-assertion"];
  if (typeof accessJwt !== "string") return text(401, "This service is reached through Access only.\n");

  // The app verifies the token; naming our own audience makes it refuse tokens that were made for other services.
  // On its way back through Cloudflare a Cf-… header would be taken off, so the token travels as a bearer token.
  const reply = await client.send({
    caller: "Demo service",
    method: "GET",
    url: `${appUrl}/api/v1/sites/${site}/identity?${new URLSearchParams({ product, audience }).toString()}`,
    headers: { authorization: `Bearer ${accessJwt}` },
  });
  const [title, lines, link] =
    reply.status === 200
      ? presentIdentity(reply.body as Identity, product)
      : presentProblem(reply.body as Problem);
  if (!(request.headers.accept ?? "").includes("text/html")) {
    return text(200, `${[title, ...lines, ...(link ? [link] : [])].join("\n")}\n`);
  }
  const paragraphs = lines.map((line) => `<p>${escapeHtml(line)}</p>`);
  const anchor = link ? `<p><a href="${escapeHtml(link)}">Link your account</a></p>` : "";
  const signOut = `<p><a href="/cdn-cgi/access/logout">Sign out of Access</a></p>`;
  return html(200, htmlPage(title, [...paragraphs, anchor, signOut].join("\n")));
}

type Presentation = [title: string, lines: string[], link: string | null];

function presentIdentity({ email, accountId }: Identity, product: Product): Presentation {
  return [`Hello, ${email}`, [`In ${productName(product)} you are the account ${accountId}.`], null];
}

function presentProblem({ title, detail, linkUrl }: Problem): Presentation {
  return [title, [detail], linkUrl ?? null];
}
