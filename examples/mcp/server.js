// @ts-check
// An MCP server behind Cloudflare Access: an assistant works in Jira as the person whose assistant it is,
// within the limits that an admin set, on the record, and without a token of Jira's.
import { createMcpExpressApp } from "@modelcontextprotocol/sdk/server/express.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { z } from "zod";

// Which site this is about, and who this server is: configuration, never taken from a request.
const { APP_URL, SITE, TEAM_DOMAIN, AUDIENCE, SERVICE_KEY } = process.env;
const { PUBLIC_HOST = "localhost", PORT = "3000" } = process.env;
if (!APP_URL || !SITE || !TEAM_DOMAIN || !AUDIENCE)
  throw new Error("Set APP_URL, SITE, TEAM_DOMAIN, AUDIENCE.");
const { CERTS_URL = `https://${TEAM_DOMAIN}/cdn-cgi/access/certs` } = process.env;

const instructions = "Show the linkUrl or consentUrl of a tool's error: there the user can allow this.";

const teamKeys = createRemoteJWKSet(new URL(CERTS_URL));
const issuer = `https://${TEAM_DOMAIN}`;
const rules = { issuer, audience: AUDIENCE, algorithms: ["RS256"], clockTolerance: 5 };

const key = z.string().regex(/^[A-Z][A-Z0-9_]+-[1-9]\d*$/);
const text = z.string().min(1).max(2000);

/** The tools as the holder of this token has them. @param {string} accessJwt */
function createServer(accessJwt) {
  const server = new McpServer({ name: "jira-as-you", version: "1.0.0" }, { instructions });
  const annotations = { readOnlyHint: true };

  const search = { description: "Finds issues that have these words.", inputSchema: { text }, annotations };
  server.registerTool("search_issues", search, ({ text }) => {
    // A string of JQL is escaped as one of JSON is.
    const jql = `text ~ ${JSON.stringify(text)} ORDER BY updated DESC`;
    const query = new URLSearchParams({ jql, fields: "summary,status,assignee", maxResults: "20" });
    return ask(accessJwt, `search/jql?${query.toString()}`);
  });

  const read = { description: "Reads an issue and its comments.", inputSchema: { key }, annotations };
  server.registerTool("read_issue", read, ({ key }) =>
    ask(accessJwt, `issue/${key}?fields=summary,status,assignee,description,comment`),
  );

  const add = { description: "Comments on an issue, as the user.", inputSchema: { key, text } };
  server.registerTool("add_comment", add, ({ key, text }) => {
    const paragraph = { type: "paragraph", content: [{ type: "text", text }] };
    const body = { type: "doc", version: 1, content: [paragraph] };
    return ask(accessJwt, `issue/${key}/comment`, { body });
  });

  return server;
}

/**
 * Jira's answer to the person; or, as the tool's error, why there is none and where to change that.
 * @param {string} accessJwt @param {string} path @param {object} [body]
 * @returns {Promise<import("@modelcontextprotocol/sdk/types.js").CallToolResult>}
 */
async function ask(accessJwt, path, body) {
  const response = await fetch(`${APP_URL}/api/v1/sites/${SITE}/jira/rest/api/3/${path}`, {
    headers: {
      authorization: `Bearer ${accessJwt}`,
      ...(SERVICE_KEY && { "x-service-key": SERVICE_KEY }),
      ...(body && { "content-type": "application/json" }),
    },
    ...(body && { method: "POST", body: JSON.stringify(body) }),
    redirect: "error",
    signal: AbortSignal.timeout(20_000),
  });
  const { ok, status, headers } = response;
  console.log(status, headers.get("X-Request-Reference"));
  // With this mark it is Jira's own answer. The app alone says where to allow something, as a problem.
  const isOfApp = !headers.has("X-Gateway-Upstream");
  const isProblem = isOfApp && headers.get("Content-Type")?.startsWith("application/problem+json");
  const answer = ok || isProblem ? await response.text() : `The answer was ${status}.`;
  return { isError: !ok, content: [{ type: "text", text: answer }] };
}

// A page that makes a browser call here (DNS rebinding) comes with another host name, or with its Origin.
// Assistants aren't pages: they send none.
const app = createMcpExpressApp({ allowedHosts: [PUBLIC_HOST] });
app.post("/mcp", async (req, res) => {
  if (req.get("Origin") !== undefined) return void res.sendStatus(403);
  const accessJwt = req.get("Cf-Access-Jwt-Assertion") ?? "";
  const verified = await jwtVerify(accessJwt, teamKeys, rules).catch(() => null);
  if (verified === null) return void res.sendStatus(401);
  // A server for each request: nothing of one person's is left for the next.
  const server = createServer(accessJwt);
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
  res.on("close", () => void server.close());
  await server.connect(transport);
  await transport.handleRequest(req, res, req.body);
});
app.all("/mcp", (_req, res) => void res.set("Allow", "POST").sendStatus(405));

app.listen(Number(PORT), "127.0.0.1", (error) => {
  if (error) throw error;
  console.log(`Listening on http://127.0.0.1:${PORT}`);
});
