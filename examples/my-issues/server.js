// @ts-check
// An internal tool behind Cloudflare Access that shows its visitors their own open issues in Jira. It has no
// account, no password and no API token there: it passes on the token that Access gave it for this visit.
import express from "express";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

/** @typedef {{ email: string, tenant: string }} Visitor */
/** @typedef {{ payload: { sub: string, tenant: string, jti: string, exp: number } }} Verified */
/** @typedef {{ issues: { key: string, fields: { summary: string, status: { name: string } } }[] }} Found */
/** @typedef {{ title?: string, detail?: string, linkUrl?: string, consentUrl?: string }} Problem */

// Which site this is about, and who this tool is: configuration, never taken from a request.
const { APP_URL, SITE, TENANT, AUDIENCE, SERVICE_KEY, PORT = "3000" } = process.env;
if (!APP_URL || !SITE || !AUDIENCE) throw new Error("Set APP_URL, SITE and AUDIENCE.");
/** Host names get registered again, by others; tenants don't. @param {string} tenant */
const isForeign = (tenant) => TENANT !== undefined && tenant !== TENANT;

const WHO = `identity?${new URLSearchParams({ product: "jira", audience: AUDIENCE }).toString()}`;
const JQL = "assignee = currentUser() AND statusCategory != Done ORDER BY updated DESC";
const MINE = new URLSearchParams({ jql: JQL, fields: "summary,status" }).toString();
const POLICY = "default-src 'none'; frame-ancestors 'none'";

const app = express().disable("x-powered-by").set("env", "production"); // Visitors see no stack traces.
app.get("/", async (req, res) => {
  const accessJwt = req.get("Cf-Access-Jwt-Assertion");
  if (!accessJwt) return void show(res, 401, "This tool is reached through Access only");
  // The app verifies the token, and that it was made for this tool and not for another.
  const who = /** @type {Visitor | null} */ (await ask(res, WHO, accessJwt));
  if (!who) return;
  if (isForeign(who.tenant)) return void show(res, 503, "This isn't the site any more that this tool is for");
  const found = /** @type {Found | null} */ (await ask(res, `jira/rest/api/3/search/jql?${MINE}`, accessJwt));
  if (!found) return;
  const items = found.issues.map(({ key, fields }) => `${key} ${fields.summary} (${fields.status.name})`);
  show(res, 200, `Open issues of ${who.email}`, items.map((item) => `<p>${escape(item)}</p>`).join(""));
});

// The other direction: a page of the app inside Jira calls for the person who looks at it. Access lets this
// path through (a Bypass policy): the assertion alone, which is good for a minute, says who that is.
const issuer = `${APP_URL}/sites/${SITE}/jira`;
const keys = createRemoteJWKSet(new URL(`${issuer}/jwks.json`));
const pinned = { issuer, audience: AUDIENCE, typ: "assertion+jwt", algorithms: ["ES256"] };
const rules = { ...pinned, requiredClaims: ["sub", "tenant", "jti", "exp"], clockTolerance: 5 };
const used = new Set(); // Each is good for one call. Several processes would have to share this.
const pages = new URL(APP_URL).origin;
const CORS = { "Access-Control-Allow-Origin": pages, "Access-Control-Allow-Headers": "Authorization" };
app.options("/from-jira", (_req, res) => void res.set(CORS).end());
app.post("/from-jira", async (req, res) => {
  res.set(CORS);
  const assertion = /^Bearer (\S+)$/i.exec(req.get("Authorization") ?? "")?.[1] ?? "";
  try {
    const { payload } = /** @type {Verified} */ (await jwtVerify(assertion, keys, rules));
    if (isForeign(payload.tenant)) throw new errors.JWTInvalid("It is about another tenant.");
    if (used.has(payload.jti)) throw new errors.JWTInvalid("It was used before.");
    used.add(payload.jti);
    setTimeout(() => used.delete(payload.jti), (payload.exp + 10) * 1000 - Date.now()).unref();
    res.json({ accountId: payload.sub });
  } catch (error) {
    if (!(error instanceof errors.JOSEError) || error instanceof errors.JWKSTimeout) throw error;
    res.status(401).json({ title: "The assertion isn't accepted", detail: error.message });
  }
});

/**
 * What the app, or Jira through it, answers to the visitor. If it is no, it tells the visitor, and is null.
 * @param {express.Response} res @param {string} path @param {string} accessJwt @returns {Promise<unknown>}
 */
async function ask(res, path, accessJwt) {
  const answer = await fetch(`${APP_URL}/api/v1/sites/${SITE}/${path}`, {
    headers: { authorization: `Bearer ${accessJwt}`, ...(SERVICE_KEY && { "x-service-key": SERVICE_KEY }) },
    redirect: "error",
    signal: AbortSignal.timeout(10_000),
  });
  const { ok, status, headers } = answer;
  console.log(path.replace(/\?.*/, ""), status, headers.get("X-Request-Reference"));
  if (ok) return answer.json();
  // With this mark it is Jira's own answer. The app alone says where to put things right, as a problem.
  const isOfApp = !headers.has("X-Gateway-Upstream");
  const isProblem = isOfApp && headers.get("Content-Type")?.startsWith("application/problem+json");
  const problem = /** @type {Problem} */ (isProblem ? await answer.json() : {});
  const { title = `The answer was ${status}`, detail = "", consentUrl, linkUrl = consentUrl } = problem;
  const link = linkUrl ? `<p><a href="${escape(linkUrl)}">Put it right in Jira</a></p>` : "";
  show(res, status, title, `<p>${escape(detail)}</p>${link}`);
  return null;
}

/** @param {express.Response} res @param {number} status @param {string} title @param {string} [body] HTML */
function show(res, status, title, body = "") {
  const html = `<!doctype html><html lang="en"><title>${escape(title)}</title><h1>${escape(title)}</h1>${body}`;
  res.set({ "Cache-Control": "no-store", "Content-Security-Policy": POLICY });
  return res.status(status).send(html);
}

/** @param {string} text */
const escape = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

app.listen(Number(PORT), "127.0.0.1", (error) => {
  if (error) throw error;
  console.log(`Listening on http://127.0.0.1:${PORT}`);
});
