// @ts-check
// An internal tool behind Cloudflare Access that shows its visitors their own open issues in Jira. It has no
// account, no password and no API token there: it passes on the token that Access gave it for this visit.
import express from "express";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

/** @typedef {{ payload: { sub?: string } }} Verified */
/** @typedef {{ key: string, fields: { summary: string, status: { name: string } } }} Issue */
/** @typedef {{ title?: string, detail?: string, linkUrl?: string, consentUrl?: string }} Problem */

// Which site this is about, and who this tool is: configuration, never taken from a request.
const { APP_URL, SITE, AUDIENCE, SERVICE_KEY, PORT = "3000" } = process.env;
if (!APP_URL || !SITE || !AUDIENCE) throw new Error("Set APP_URL, SITE and AUDIENCE.");

const WHO = new URLSearchParams({ product: "jira", audience: AUDIENCE });
const MINE = new URLSearchParams({
  jql: "assignee = currentUser() AND statusCategory != Done ORDER BY updated DESC",
  fields: "summary,status",
});

const POLICY = "default-src 'none'; frame-ancestors 'none'";

const app = express().disable("x-powered-by");
app.set("env", "production"); // Visitors get to see no stack traces.
app.use((_req, res, next) => {
  res.set({ "Cache-Control": "no-store", "Content-Security-Policy": POLICY });
  next();
});

app.get("/", async (req, res) => {
  const accessJwt = req.get("Cf-Access-Jwt-Assertion");
  if (!accessJwt) return void res.status(401).send(page("This tool is reached through Access only", ""));
  // The app verifies the token, and that it was made for this tool and not for another.
  const who = await ask(`identity?${WHO.toString()}`, accessJwt);
  if (!who.ok) return refuse(res, who);
  const { email } = /** @type {{ email: string }} */ (await who.json());

  const found = await ask(`jira/rest/api/3/search/jql?${MINE.toString()}`, accessJwt);
  if (!found.ok) return refuse(res, found);
  const { issues } = /** @type {{ issues: Issue[] }} */ (await found.json());
  const items = issues.map(({ key, fields: { summary, status } }) => `${key} ${summary} (${status.name})`);
  const list = items.map((item) => `<li>${escape(item)}</li>`).join("");
  res.send(page(`Open issues of ${email}`, list && `<ul>${list}</ul>`));
});

// The other direction: a page of the app inside Jira calls for the person who looks at it. Access lets this
// path through (a Bypass policy): the assertion alone, which is good for a minute, says who that is.
const issuer = `${APP_URL}/sites/${SITE}/jira`;
const keys = createRemoteJWKSet(new URL(`${issuer}/jwks.json`));
const rules = { issuer, audience: AUDIENCE, typ: "assertion+jwt", algorithms: ["ES256"], clockTolerance: 5 };
const pages = new URL(APP_URL).origin;
app.use("/from-jira", (_req, res, next) => {
  res.set({ "Access-Control-Allow-Origin": pages, "Access-Control-Allow-Headers": "Authorization" });
  next();
});
app.post("/from-jira", async (req, res) => {
  const assertion = /^Bearer (\S+)$/i.exec(req.get("Authorization") ?? "")?.[1] ?? "";
  try {
    const { payload } = /** @type {Verified} */ (await jwtVerify(assertion, keys, rules));
    res.json({ accountId: payload.sub });
  } catch (error) {
    if (!(error instanceof errors.JOSEError) || error instanceof errors.JWKSTimeout) throw error;
    res.status(401).json({ title: "The assertion isn't accepted", detail: error.message });
  }
});

/** Asks the app, or Jira through it, as the visitor. @param {string} path @param {string} accessJwt */
function ask(path, accessJwt) {
  return fetch(`${APP_URL}/api/v1/sites/${SITE}/${path}`, {
    headers: { authorization: `Bearer ${accessJwt}`, ...(SERVICE_KEY && { "x-service-key": SERVICE_KEY }) },
    redirect: "error",
    signal: AbortSignal.timeout(10_000),
  });
}

/** Says why not, and where to change that. @param {express.Response} res @param {Response} answer */
async function refuse(res, answer) {
  const { title, detail, linkUrl, consentUrl } = /** @type {Problem} */ (await answer.json());
  const url = consentUrl ?? linkUrl;
  const link = url ? `<p><a href="${escape(url)}">Put it right in Jira</a></p>` : "";
  res.status(answer.status).send(page(title ?? "Jira said no", `<p>${escape(detail ?? "")}</p>${link}`));
}

/** @param {string} title @param {string} body HTML */
function page(title, body) {
  return `<!doctype html><html lang="en"><title>${escape(title)}</title><h1>${escape(title)}</h1>${body}</html>`;
}

/** @param {string} text */
function escape(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

app.listen(Number(PORT), "127.0.0.1", (error) => {
  if (error) throw error;
  console.log(`Listening on http://127.0.0.1:${PORT}`);
});
