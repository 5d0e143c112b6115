import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js";

import { escapeHtml, htmlPage } from "./html.js";
import { html, startServer, text, type Answer, type Incoming, type Server } from "./http-server.js";

interface Options {
  readonly mcpUrl: string;
}

interface Tool {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: { readonly properties?: Readonly<Record<string, unknown>> | undefined };
}

interface Outcome {
  readonly tool: string;
  readonly isError: boolean;
  readonly text: string;
}

/** Stands in for somebody's assistant: the person chooses the tool that a model would choose. */
export async function startAssistant(options: Options): Promise<Server> {
  const server = await startServer();
  server.routes.push(
    ["GET", /^\/$/, (request) => converse(request, options)],
    ["POST", /^\/$/, (request) => converse(request, options)],
  );
  return server;
}

/** The MCP server as the person has it whose Access JWT this is: one of its own, or one of an application that may call it. */
export async function connectToMcp(mcpUrl: string, accessJwt: string): Promise<Client> {
  const client = new Client({ name: "sandbox-assistant", version: "1.0.0" });
  const requestInit = { headers: { "cf-access-token": accessJwt } };
  await client.connect(new StreamableHTTPClientTransport(new URL(mcpUrl), { requestInit }));
  return client;
}

async function converse({ method, headers, body }: Incoming, { mcpUrl }: Options): Promise<Answer> {
  const accessJwt = headers["cf-access-jwt-assertion"];
  if (typeof accessJwt !== "string") return text(401, "The assistant is reached through Access only.\n");
  const client = await connectToMcp(mcpUrl, accessJwt);
  try {
    const { tools } = await client.listTools();
    const outcome = method === "POST" ? await callTool(client, new URLSearchParams(body)) : null;
    return html(200, assistantPage(tools, outcome));
  } finally {
    await client.close();
  }
}

async function callTool(client: Client, form: URLSearchParams): Promise<Outcome> {
  const { tool = "", ...input } = Object.fromEntries(form);
  const called = await client.callTool({ name: tool, arguments: input }, CallToolResultSchema);
  const { isError = false, content } = CallToolResultSchema.parse(called);
  return { tool, isError, text: content.map((part) => (part.type === "text" ? part.text : "")).join("\n") };
}

function assistantPage(tools: readonly Tool[], outcome: Outcome | null): string {
  return htmlPage(
    "Assistant",
    `<main class="paper">
<p class="subtle">An assistant that uses the MCP server as you</p>
<h1>Assistant</h1>
${outcome ? presentOutcome(outcome) : "<p>There is no model here: choose the tool that it would choose.</p>"}
${tools.map(presentTool).join("\n")}
<p class="subtle">In the sandbox, pages of Jira open as the person chosen in the site's purple bar.</p>
<p><a href="/cdn-cgi/access/logout">Sign out of Access</a></p>
</main>`,
  );
}

function presentTool({ name, description = "", inputSchema }: Tool): string {
  const inputs = Object.keys(inputSchema.properties ?? {}).map(
    (property) =>
      `<p><label>${escapeHtml(property)} <input name="${escapeHtml(property)}" required></label></p>`,
  );
  return `<h2>${escapeHtml(name)}</h2>
<p>${escapeHtml(description)}</p>
<form method="post">
<input type="hidden" name="tool" value="${escapeHtml(name)}">
${inputs.join("\n")}
<p><button class="button">Use it</button></p>
</form>`;
}

function presentOutcome({ tool, isError, text: answer }: Outcome): string {
  const urls = [...answer.matchAll(/"(?:linkUrl|consentUrl)":"([^"]+)"/g)].map(([, url = ""]) =>
    escapeHtml(url),
  );
  const links = urls.map((url) => `<p><a class="button" href="${url}">Put it right in Jira</a></p>`);
  return `<h2>${escapeHtml(tool)} ${isError ? "failed" : "answered"}</h2>
<pre>${escapeHtml(indent(answer))}</pre>
${links.join("\n")}`;
}

function indent(answer: string): string {
  try {
    return JSON.stringify(JSON.parse(answer), null, 2);
  } catch {
    return answer;
  }
}
