import { randomUUID } from "node:crypto";

import { epochSeconds, queryStringHash, signJwt } from "../sandbox/jwt.js";
import { ADA, GRACE, LINUS, OSCAR, type Person } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import type { ListedSettings } from "../src/services/settings.js";
import { PUBLIC_VERSION } from "../src/web/public-files.js";
import type { RawAnswer } from "../src/web/raw-http.fixture.js";
import { consentPath, READER, type Standing } from "./consents.fixture.js";
import {
  INSTALLABLE_SITE,
  contextJwt,
  linkingJwt,
  pagePath,
  send,
  type Message,
  type Stage,
  type Scene,
} from "./production.fixture.js";

/** What kind of an answer it is, which decides about its headers. */
export type AnswerClass =
  | "plain"
  | "descriptor"
  | "file"
  | "file of another release"
  | "framed page"
  | "popup"
  | "popup of a stranger"
  | "popup refusal"
  | "opener cookie";

type Ask = (scene: Scene, stage: Stage) => Promise<RawAnswer>;

export interface AnswerRow {
  /** `GET /healthz` as in the list of routes, and what makes it special. */
  readonly to: string;
  readonly status: number;
  readonly is?: AnswerClass;
  readonly ask: Ask;
}

const HTML = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const JSON_ONLY = { Accept: "application/json" };
const FORM = { "Content-Type": "application/x-www-form-urlencoded" };
const FRAMED = { ...HTML, "Sec-Fetch-Dest": "iframe" };
const FILES = `/public/${PUBLIC_VERSION}`;
const NOBODYS_TOKEN = { Authorization: `JWT ${["e30", "e30", "AA"].join(".")}` };

// prettier-ignore
export const GOOD_ANSWERS: readonly AnswerRow[] = [
  { to: "GET /atlassian-connect.json", status: 200, is: "descriptor", ask: get("/atlassian-connect.json") },
  { to: "HEAD /atlassian-connect.json", status: 200, is: "descriptor", ask: head("/atlassian-connect.json") },
  { to: "POST /installed", status: 204, ask: lifecycle("installed") },
  { to: "POST /uninstalled", status: 204, ask: lifecycle("uninstalled") },
  { to: "POST /enabled", status: 204, ask: lifecycle("enabled") },
  { to: "POST /disabled", status: 204, ask: lifecycle("disabled") },
  { to: "GET /healthz", status: 200, ask: get("/healthz") },
  { to: "HEAD /healthz", status: 200, ask: head("/healthz") },
  { to: "GET /readyz", status: 200, ask: get("/readyz") },
  { to: "HEAD /readyz", status: 200, ask: head("/readyz") },
  { to: "GET /metrics", status: 200, ask: get("/metrics") },
  { to: "HEAD /metrics", status: 200, ask: head("/metrics") },
  { to: "GET /openapi.json", status: 200, ask: get("/openapi.json") },
  { to: "HEAD /openapi.json", status: 200, ask: head("/openapi.json") },
  { to: "GET /problems", status: 200, ask: get("/problems") },
  { to: "HEAD /problems", status: 200, ask: head("/problems") },
  { to: "GET /problems as a page", status: 200, ask: get("/problems", HTML) },
  { to: "GET /sites/:site/jira/jwks.json", status: 200, ask: get("/sites/acme.atlassian.net/jira/jwks.json") },
  { to: "HEAD /sites/:site/jira/jwks.json", status: 200, ask: head("/sites/acme.atlassian.net/jira/jwks.json") },
  { to: "GET /sites/:site/confluence/jwks.json", status: 200, ask: get("/sites/acme.atlassian.net/confluence/jwks.json") },
  { to: "HEAD /sites/:site/confluence/jwks.json", status: 200, ask: head("/sites/acme.atlassian.net/confluence/jwks.json") },
  { to: "GET /admin", status: 200, is: "framed page", ask: page("/admin", ADA) },
  { to: "GET /account", status: 200, is: "framed page", ask: page("/account", GRACE) },

  { to: "GET /api/v1/settings", status: 200, ask: as(ADA, "GET", "/api/v1/settings") },
  { to: "HEAD /api/v1/settings", status: 200, ask: as(ADA, "HEAD", "/api/v1/settings") },
  { to: "PUT /api/v1/settings", status: 200, ask: saveSettings },
  { to: "POST /api/v1/settings/check", status: 200, ask: as(ADA, "POST", "/api/v1/settings/check", {}) },
  { to: "POST /api/v1/settings/popup-check", status: 200, ask: as(ADA, "POST", "/api/v1/settings/popup-check") },
  { to: "POST /api/v1/settings/assertion-keys/rotate", status: 200, ask: as(ADA, "POST", "/api/v1/settings/assertion-keys/rotate") },
  { to: "GET /api/v1/settings/predecessor", status: 200, ask: as(ADA, "GET", "/api/v1/settings/predecessor") },
  { to: "HEAD /api/v1/settings/predecessor", status: 200, ask: as(ADA, "HEAD", "/api/v1/settings/predecessor") },
  { to: "POST /api/v1/settings/predecessor/take-over", status: 404, ask: as(ADA, "POST", "/api/v1/settings/predecessor/take-over", { version: 0 }) },
  { to: "GET /api/v1/services", status: 200, ask: as(ADA, "GET", "/api/v1/services") },
  { to: "HEAD /api/v1/services", status: 200, ask: as(ADA, "HEAD", "/api/v1/services") },
  { to: "POST /api/v1/services/x/keys", status: 201, ask: createServiceKey },
  { to: "DELETE /api/v1/services/x/keys/x", status: 204, ask: removeServiceKey },
  { to: "GET /api/v1/links", status: 200, ask: as(ADA, "GET", "/api/v1/links") },
  { to: "HEAD /api/v1/links", status: 200, ask: as(ADA, "HEAD", "/api/v1/links") },
  { to: "DELETE /api/v1/links/x", status: 204, ask: removeLink },
  { to: "POST /api/v1/links/x/restore", status: 200, ask: restoreLink },
  { to: "GET /api/v1/audit", status: 200, ask: as(ADA, "GET", "/api/v1/audit") },
  { to: "HEAD /api/v1/audit", status: 200, ask: as(ADA, "HEAD", "/api/v1/audit") },
  { to: "GET /api/v1/me", status: 200, ask: as(GRACE, "GET", "/api/v1/me") },
  { to: "HEAD /api/v1/me", status: 200, ask: as(GRACE, "HEAD", "/api/v1/me") },
  { to: "POST /api/v1/me/link-attempts", status: 201, ask: as(GRACE, "POST", "/api/v1/me/link-attempts", {}) },
  { to: "POST /api/v1/me/links with a code", status: 201, ask: redeem },
  { to: "POST /api/v1/me/links once more", status: 200, ask: link(GRACE) },
  { to: "DELETE /api/v1/me/links/x", status: 204, ask: unlink },
  { to: "POST /api/v1/me/links/x/confirm", status: 200, ask: confirmLink },
  { to: "POST /api/v1/me/news/seen", status: 204, ask: as(GRACE, "POST", "/api/v1/me/news/seen", { until: "2026-01-31T12:00:00Z" }) },
  { to: "GET /api/v1/me/activity", status: 200, ask: as(GRACE, "GET", "/api/v1/me/activity") },
  { to: "HEAD /api/v1/me/activity", status: 200, ask: as(GRACE, "HEAD", "/api/v1/me/activity") },
  { to: "PUT /api/v1/me/consents/x", status: 204, ask: agree },
  { to: "DELETE /api/v1/me/consents/x", status: 204, ask: withdraw },
  { to: "POST /api/v1/me/assertions", status: 201, ask: assertGrace },

  { to: "GET /link/start/:attempt", status: 303, is: "opener cookie", ask: startAttempt },
  { to: "GET /access/link/:attempt", status: 200, is: "popup", ask: popup("GET", { isTied: true }) },
  { to: "GET /access/link/:attempt that somebody was lured into", status: 200, is: "popup of a stranger", ask: popup("GET") },
  { to: "HEAD /access/link/:attempt", status: 200, is: "popup", ask: popup("HEAD", { isTied: true }) },
  { to: "POST /access/link/:attempt", status: 200, ask: popup("POST", { isTied: true, headers: JSON_ONLY }) },
  { to: "POST /access/link/:attempt without a script", status: 200, is: "popup", ask: popup("POST", { isTied: true }) },
  { to: "POST /access/link/:attempt to remove a link", status: 204, ask: popup("POST", { isTied: true, headers: JSON_ONLY, remove: true }) },
  { to: "POST /access/link/:attempt to remove a link without a script", status: 303, ask: popup("POST", { isTied: true, remove: true }) },

  { to: "GET /api/v1/sites/:site/identity", status: 200, ask: identifyGrace("GET") },
  { to: "HEAD /api/v1/sites/:site/identity", status: 200, ask: identifyGrace("HEAD") },

  { to: "a style", status: 200, is: "file", ask: get(`${FILES}/style.css`) },
  { to: "a script", status: 200, is: "file", ask: get(`${FILES}/admin/admin-page.js`) },
  { to: "the library of the pages", status: 200, is: "file", ask: get(`${FILES}/vendor/lit-html/lit-html.js`) },
  { to: "HEAD of a file", status: 200, is: "file", ask: head(`${FILES}/style.css`) },
  { to: "a part of a file", status: 200, is: "file", ask: get(`${FILES}/style.css`, { Range: "bytes=0-9" }) },
  { to: "a file that is asked for again", status: 304, is: "file",
    ask: get(`${FILES}/style.css`, { "If-None-Match": "*", "If-Modified-Since": new Date().toUTCString() }) },
  { to: "a style of another release", status: 200, is: "file of another release", ask: get("/public/0123456789abcdef/style.css") },
  { to: "an invitation to another protocol", status: 200, ask: get("/healthz", { Connection: "close, Upgrade", Upgrade: "h2c, websocket" }) },
];

// prettier-ignore
export const REFUSALS: readonly AnswerRow[] = [
  { to: "a path that can't be decoded", status: 400, ask: get("/link/start/%ff") },
  { to: "a body that isn't JSON", status: 400, ask: as(ADA, "PUT", "/api/v1/settings", "{") },
  { to: "two tokens", status: 400, ask: get("/api/v1/me?jwt=x", NOBODYS_TOKEN) },
  { to: "no Connect JWT", status: 401, ask: get("/api/v1/me") },
  { to: "a Connect JWT that isn't one", status: 401, ask: get("/api/v1/me", NOBODYS_TOKEN) },
  { to: "a page without a token", status: 401, ask: get("/admin", FRAMED) },
  { to: "a page with nobody's token", status: 401, ask: get("/admin?jwt=x", FRAMED) },
  { to: "no Access JWT", status: 401, ask: get("/api/v1/sites/acme.atlassian.net/identity") },
  { to: "an event that nobody signed", status: 401, ask: post("/installed") },
  { to: "an event that somebody else signed", status: 401, ask: post("/installed", NOBODYS_TOKEN) },
  { to: "a linking window outside Access", status: 401, is: "popup refusal", ask: get("/access/link/x", HTML) },
  { to: "a linking window outside Access, as JSON", status: 401, ask: get("/access/link/x") },
  { to: "somebody who isn't an admin", status: 403, ask: as(GRACE, "GET", "/api/v1/settings") },
  { to: "a page for admins", status: 403, is: "framed page", ask: page("/admin", GRACE) },
  { to: "a page outside its frame", status: 403, ask: get("/admin", { ...HTML, "Sec-Fetch-Dest": "document" }) },
  { to: "an attempt that was opened from elsewhere", status: 403, ask: get("/link/start/x") },
  { to: "an attempt that was opened from elsewhere, as a page", status: 403, is: "popup refusal", ask: get("/link/start/x", HTML) },
  { to: "a page of another site that asks as a service", status: 403,
    ask: get("/api/v1/sites/acme.atlassian.net/identity", { Origin: "https://evil.example" }) },
  { to: "a path that names nothing", status: 404, ask: get("/nowhere") },
  { to: "a path that names nothing, as a page", status: 404, ask: get("/nowhere", HTML) },
  { to: "a file that isn't served", status: 404, ask: get(`${FILES}/types.d.ts`) },
  { to: "the folder of the files", status: 404, ask: get(`${FILES}/`) },
  { to: "a path below the service API", status: 404, ask: get("/api/v1/sites/x/y") },
  { to: "a visitor who hasn't linked", status: 404, ask: identify("GET", OSCAR) },
  { to: "a question of another site's page", status: 405,
    ask: (_, stage) => send(stage, { method: "OPTIONS", path: "/healthz", headers: {
      Origin: "https://evil.example", "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization" } }) },
  { to: "TRACE", status: 405, ask: (_, stage) => send(stage, { method: "TRACE", path: "/healthz" }) },
  { to: "TRACE of the service API", status: 405, ask: (_, stage) => send(stage, { method: "TRACE", path: "/api/v1/sites/x/identity" }) },
  { to: "another account's Access identity", status: 409, ask: linkWhatIsAnothers },
  { to: "a service that may do something else by now", status: 409, ask: agreeToSomethingElse },
  { to: "an attempt that is over", status: 410, is: "popup refusal", ask: get("/link/start/x", { ...HTML, "Sec-Fetch-Site": "same-origin" }) },
  { to: "a body of 64 KiB and one byte", status: 413, ask: as(ADA, "PUT", "/api/v1/settings", " ".repeat(64 * 1024 + 1)) },
  { to: "a body that says it is a gigabyte", status: 413, ask: (_, stage) => send(stage, { method: "POST", path: "/nowhere", headers: { "Content-Length": "1073741824" } }) },
  { to: "a form in the place of JSON", status: 415, ask: as(ADA, "PUT", "/api/v1/settings", "paused=true", FORM) },
  { to: "settings that can't be", status: 422, ask: as(ADA, "PUT", "/api/v1/settings", {}) },
  { to: "an attempt too many", status: 429, ask: beginTooOften },
  { to: "17 KiB of headers", status: 431, ask: get("/healthz", { "X-Padding": "x".repeat(17 * 1024) }) },
  { to: "settings that something else has written over", status: 500, ask: meetDamage },
  { to: "an admin whom Jira, out of order, can't vouch for", status: 502, ask: whileJiraFails },
  { to: "a token of a team that can't be reached", status: 503, ask: identifyWithoutKeys },
];

/** What isn't HTTP, or nothing that a client library would send. */
// prettier-ignore
export const BYTES: readonly (readonly [what: string, status: number, bytes: string | Buffer])[] = [
  ["garbage", 400, "garbage\r\n\r\n"],
  ["a TLS handshake", 400, Buffer.from("16030100c8010000c40303", "hex")],
  ["HTTP/2", 400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["no Host", 400, "GET /healthz HTTP/1.1\r\n\r\n"],
  ["two lengths", 400, "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"],
  ["the target *", 400, "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"],
  ["a path without a slash", 400, "GET healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"],
  ["a broken chunk", 400, "POST /installed HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n"],
  ["a tunnel", 405, "CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n"],
  ["chunk extensions of 20 KiB", 413, `POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;${"x".repeat(20_000)}\r\n`],
  ["a line of 17 KiB", 431, `GET /${"x".repeat(17 * 1024)} HTTP/1.1\r\nHost: x\r\n\r\n`],
  ["HTTP/1.0", 200, "GET /healthz HTTP/1.0\r\n\r\n"],
];

function get(path: string, headers: Message["headers"] = {}): Ask {
  return (_, stage) => send(stage, { method: "GET", path, headers });
}

function head(path: string): Ask {
  return (_, stage) => send(stage, { method: "HEAD", path });
}

function post(path: string, headers: Message["headers"] = {}): Ask {
  return (_, stage) => send(stage, { method: "POST", path, headers, body: {} });
}

function as(person: Person, method: string, path: string, body?: unknown, headers: object = {}): Ask {
  return async (scene, stage) =>
    send(stage, {
      method,
      path,
      body,
      headers: { Authorization: await contextJwt(scene, person), ...headers },
    });
}

function page(path: string, person: Person): Ask {
  return async (scene, stage) =>
    send(stage, { method: "GET", path: await pagePath(scene, stage, path, person), headers: FRAMED });
}

/** From a site that nothing can be asked of, which is installed first where the event needs it. */
function lifecycle(event: "installed" | "uninstalled" | "enabled" | "disabled"): Ask {
  return async ({ world }, stage) => {
    const clientKey = randomUUID();
    const { baseUrl } = stage;
    const sendEvent = async (type: string) => {
      const token = await world.parts.installKeys.sign({
        iss: clientKey,
        aud: [baseUrl],
        iat: epochSeconds(),
        exp: epochSeconds() + 180,
        qsh: queryStringHash("POST", `${baseUrl}/${type}`, baseUrl),
      });
      const body = {
        key: "access-for-atlassian-cloud",
        clientKey,
        sharedSecret: "s".repeat(64),
        baseUrl: `https://${INSTALLABLE_SITE}`,
        productType: "jira",
        eventType: type,
      };
      return send(stage, {
        method: "POST",
        path: `/${type}`,
        headers: { Authorization: `JWT ${token}` },
        body,
      });
    };
    const installed = await sendEvent("installed");
    return event === "installed" ? installed : sendEvent(event);
  };
}

async function saveSettings(scene: Scene, stage: Stage): Promise<RawAnswer> {
  const settings = read(await as(ADA, "GET", "/api/v1/settings")(scene, stage)) as object;
  return as(ADA, "PUT", "/api/v1/settings", settings)(scene, stage);
}

/** Of the service that people link through, which nothing is asked for. */
async function keysPath(scene: Scene, stage: Stage): Promise<string> {
  const { services } = read(await as(ADA, "GET", "/api/v1/settings")(scene, stage)) as ListedSettings;
  return `/api/v1/services/${services[0]?.id ?? ""}/keys`;
}

async function createServiceKey(scene: Scene, stage: Stage): Promise<RawAnswer> {
  const path = await keysPath(scene, stage);
  const overviews = read(await as(ADA, "GET", "/api/v1/services")(scene, stage)) as {
    items: readonly { readonly keys: readonly { readonly id: string }[] }[];
  };
  for (const { id } of overviews.items[0]?.keys ?? []) await as(ADA, "DELETE", `${path}/${id}`)(scene, stage);
  return as(ADA, "POST", path)(scene, stage);
}

async function removeServiceKey(scene: Scene, stage: Stage): Promise<RawAnswer> {
  const { id } = read(await createServiceKey(scene, stage)) as { id: string };
  return as(ADA, "DELETE", `${await keysPath(scene, stage)}/${id}`)(scene, stage);
}

/** With an Access JWT, which may be somebody else's. */
function link(person: Person, identity = person): Ask {
  return async (scene, stage) => {
    const accessJwt = await linkingJwt(scene.world, identity);
    return as(person, "POST", "/api/v1/me/links", { accessJwt })(scene, stage);
  };
}

async function linkWhatIsAnothers(scene: Scene, stage: Stage): Promise<RawAnswer> {
  await link(GRACE)(scene, stage);
  return link(LINUS, GRACE)(scene, stage);
}

async function linkIdOf(person: Person, scene: Scene, stage: Stage): Promise<string> {
  return (read(await link(person)(scene, stage)) as { id: string }).id;
}

async function removeLink(scene: Scene, stage: Stage): Promise<RawAnswer> {
  return as(ADA, "DELETE", `/api/v1/links/${await linkIdOf(LINUS, scene, stage)}`)(scene, stage);
}

async function restoreLink(scene: Scene, stage: Stage): Promise<RawAnswer> {
  const id = await linkIdOf(LINUS, scene, stage);
  await as(ADA, "DELETE", `/api/v1/links/${id}`)(scene, stage);
  return as(ADA, "POST", `/api/v1/links/${id}/restore`)(scene, stage);
}

async function unlink(scene: Scene, stage: Stage): Promise<RawAnswer> {
  return as(LINUS, "DELETE", `/api/v1/me/links/${await linkIdOf(LINUS, scene, stage)}`)(scene, stage);
}

async function confirmLink(scene: Scene, stage: Stage): Promise<RawAnswer> {
  const path = `/api/v1/me/links/${await linkIdOf(LINUS, scene, stage)}/confirm`;
  return as(LINUS, "POST", path, { email: LINUS.email })(scene, stage);
}

/** What Grace is shown, after Ada has let the demo service act, or be told who Grace is. */
async function showActing(scene: Scene, stage: Stage, changes: object = READER): Promise<Standing> {
  const settings = read(await as(ADA, "GET", "/api/v1/settings")(scene, stage)) as ListedSettings;
  const services = settings.services.map((service) =>
    service.audience === AUDIENCES.demo ? { ...service, ...changes } : service,
  );
  await as(ADA, "PUT", "/api/v1/settings", { ...settings, services })(scene, stage);
  const mine = read(await as(GRACE, "GET", "/api/v1/me")(scene, stage)) as { services: [Standing] };
  return mine.services[0];
}

async function agree(scene: Scene, stage: Stage): Promise<RawAnswer> {
  const { serviceId, digest } = await showActing(scene, stage);
  return as(GRACE, "PUT", consentPath(serviceId), { digest })(scene, stage);
}

async function agreeToSomethingElse(scene: Scene, stage: Stage): Promise<RawAnswer> {
  const { serviceId } = await showActing(scene, stage);
  return as(GRACE, "PUT", consentPath(serviceId), { digest: "0".repeat(64) })(scene, stage);
}

async function withdraw(scene: Scene, stage: Stage): Promise<RawAnswer> {
  const { serviceId } = await showActing(scene, stage);
  return as(GRACE, "DELETE", consentPath(serviceId))(scene, stage);
}

async function assertGrace(scene: Scene, stage: Stage): Promise<RawAnswer> {
  await link(GRACE)(scene, stage);
  const { serviceId, digest } = await showActing(scene, stage, { purposes: ["identify", "assert"] });
  await as(GRACE, "PUT", consentPath(serviceId), { digest })(scene, stage);
  return as(GRACE, "POST", "/api/v1/me/assertions", { serviceId })(scene, stage);
}

async function begin(scene: Scene, stage: Stage): Promise<string> {
  return (read(await as(LINUS, "POST", "/api/v1/me/link-attempts", {})(scene, stage)) as { id: string }).id;
}

async function start(stage: Stage, attempt: string): Promise<RawAnswer> {
  const headers = { "Sec-Fetch-Site": "same-origin" };
  return send(stage, { method: "GET", path: `/link/start/${attempt}`, headers });
}

async function startAttempt(scene: Scene, stage: Stage): Promise<RawAnswer> {
  return start(stage, await begin(scene, stage));
}

interface PopupOptions {
  /** The browser has the cookie of its opener. */
  readonly isTied?: boolean;
  /** Grace's own link, in the window of Linus' attempt. */
  readonly remove?: boolean;
  readonly headers?: Message["headers"];
}

/** What Grace gets to see in a window of Linus' attempt. */
function popup(method: string, options: PopupOptions = {}): Ask {
  return async (scene, stage) => visit(await begin(scene, stage), method, options)(scene, stage);
}

function visit(attempt: string, method: string, options: PopupOptions, identity: Person = GRACE): Ask {
  return async (scene, stage) => {
    await link(GRACE)(scene, stage);
    const started = await start(stage, attempt);
    const cookie = started.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    return send(stage, {
      method,
      path: `/access/link/${attempt}`,
      headers: {
        "Cf-Access-Jwt-Assertion": await linkingJwt(scene.world, identity),
        ...HTML,
        ...(options.isTied && { Cookie: cookie }),
        ...(method === "POST" && { ...FORM, Origin: new URL(stage.baseUrl).origin }),
        ...options.headers,
      },
      body: method === "POST" ? `action=${options.remove ? "remove" : "link"}` : undefined,
    });
  };
}

async function redeem(scene: Scene, stage: Stage): Promise<RawAnswer> {
  await unlink(scene, stage);
  const attempt = await begin(scene, stage);
  const options = { isTied: true, headers: JSON_ONLY };
  const { code } = read(await visit(attempt, "POST", options, LINUS)(scene, stage)) as { code: string };
  return as(LINUS, "POST", "/api/v1/me/links", { attempt, code })(scene, stage);
}

function identifyGrace(method: string): Ask {
  return async (scene, stage) => {
    await link(GRACE)(scene, stage);
    return identify(method, GRACE)(scene, stage);
  };
}

function identify(method: string, person: Person): Ask {
  return async ({ world }, stage) => {
    const token = await world.team.signAccessJwt(person, AUDIENCES.demo);
    return send(stage, {
      method,
      path: `/api/v1/sites/${world.site.host}/identity`,
      headers: { Authorization: `Bearer ${token}` },
    });
  };
}

async function identifyWithoutKeys({ otherSite, unreachableTeam }: Scene, stage: Stage): Promise<RawAnswer> {
  const token = await unreachableTeam.signAccessJwt(GRACE, AUDIENCES.demo);
  return send(stage, {
    method: "GET",
    path: `/api/v1/sites/${otherSite.host}/identity`,
    headers: { Authorization: `Bearer ${token}` },
  });
}

async function beginTooOften(scene: Scene, stage: Stage): Promise<RawAnswer> {
  const beginOnce = as(OSCAR, "POST", "/api/v1/me/link-attempts", {});
  for (let nth = 0; nth < 20; nth++) await beginOnce(scene, stage);
  return beginOnce(scene, stage);
}

async function meetDamage(scene: Scene, stage: Stage): Promise<RawAnswer> {
  const { otherSite } = scene;
  await scene.execute(
    `UPDATE settings SET document = 'not JSON' WHERE tenant_id IN (SELECT id FROM tenants WHERE site = '${otherSite.host}' AND product = 'confluence')`,
  );
  const headers = { Authorization: await contextJwt(scene, GRACE, "confluence", otherSite) };
  return send(stage, { method: "GET", path: "/api/v1/me", headers });
}

async function whileJiraFails(scene: Scene, stage: Stage): Promise<RawAnswer> {
  const { otherSite } = scene;
  otherSite.behaviour.failing = true;
  try {
    const token = await signJwt(
      {},
      {
        iss: otherSite.getInstallation("jira").clientKey,
        sub: `712020:${randomUUID()}`,
        iat: epochSeconds(),
        exp: epochSeconds() + 60,
        qsh: "context-qsh",
      },
      otherSite.getInstallation("jira").sharedSecret,
    );
    const headers = { Authorization: `JWT ${token}` };
    return await send(stage, { method: "GET", path: "/api/v1/settings", headers });
  } finally {
    otherSite.behaviour.failing = false;
  }
}

function read({ body }: RawAnswer): unknown {
  return JSON.parse(body);
}
