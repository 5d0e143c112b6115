import { decodeJwt } from "jose";

import type { Product } from "../src/tenants/tenant.js";
import { demoPage, demoText, type Identity, type Problem, type Refusal, type Visitor } from "./demo-page.js";
import type { HttpClient } from "./http-client.js";
import { html, startServer, text, type Answer, type Incoming, type Server } from "./http-server.js";
import { nickname, type Person } from "./people.js";

interface Options {
  /** The app's public URL. */
  readonly appUrl: string;
  /** Which Atlassian site, and who this service is: configuration, never taken from a request. */
  readonly site: string;
  readonly product: Product;
  readonly audience: string;
  readonly client: HttpClient;
  /** Those the sandbox's site can be opened as. A real tool has no such list: its visitors are themselves in Jira too. */
  readonly people: () => readonly Person[];
  readonly port?: number;
}

/** A tiny internal tool behind Access. All it does is tell its visitors who they are in Jira. */
export async function startDemoService(options: Options): Promise<Server> {
  const server = await startServer({ port: options.port ?? 0 });
  server.routes.push(["GET", /^\/$/, (request) => greet(request, options)]);
  return server;
}

async function greet(request: Incoming, options: Options): Promise<Answer> {
  const { appUrl, site, product, audience, client, people } = options;
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
  const visitor: Visitor =
    reply.status === 200
      ? { identity: reply.body as Identity }
      : refusal(reply.body as Problem, readEmail(accessJwt), people());
  const wantsPage = (request.headers.accept ?? "").includes("text/html");
  return wantsPage ? html(200, demoPage(visitor)) : text(200, demoText(visitor));
}

function refusal(problem: Problem, email: string | null, people: readonly Person[]): Refusal {
  const person = people.find((each) => each.email === email) ?? null;
  if (!person || !problem.linkUrl) return { problem, email, opensAs: null };
  const linkUrl = new URL(problem.linkUrl);
  linkUrl.searchParams.set("as", nickname(person));
  return { problem: { ...problem, linkUrl: linkUrl.href }, email, opensAs: person.name };
}

/** Not verified here, so only good for telling visitors who they are; machines have none. */
function readEmail(accessJwt: string): string | null {
  try {
    const { email } = decodeJwt<{ email?: unknown }>(accessJwt);
    return typeof email === "string" ? email : null;
  } catch {
    return null;
  }
}
