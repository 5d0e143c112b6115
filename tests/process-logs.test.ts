import { existsSync, readFileSync } from "node:fs";
import { expect } from "vitest";

import { readTypedCode } from "../sandbox/app-page.js";
import type { Call, CallObserver, Reply } from "../sandbox/http-client.js";
import { ADA, GRACE, LINUS, NIGHTLY_BUILD, OSCAR, PEOPLE } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import type { World } from "../sandbox/world.js";
import { it, PATIENCE, type Deployment } from "./process-deployment.fixture.js";

/** Overhears every call, and keeps what nobody may find afterwards. */
class Eavesdropper implements CallObserver {
  /** Of the app's answers. */
  readonly references: string[] = [];
  readonly #secrets = new Map<string, string>();

  called(): void {
    // All of it is there when the answer is.
  }

  answered(call: Call, reply: Reply | null): void {
    const reference = reply?.headers["x-request-reference"];
    if (typeof reference === "string") this.references.push(reference);
    const said = [call.url, JSON.stringify(call), reply?.text, JSON.stringify(reply?.headers)].join("\n");
    for (const [jwt] of said.matchAll(/eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g)) {
      this.keep("JWT", ...jwt.split("."));
    }
    this.keepMatches("cookie", said, /__Host-[\w-]+=([\w-]+)/g);
    this.keepMatches("attempt id", said, /\/link\/(?:start\/)?([\w-]{16,})/g);
    // A problem's code is all lower case.
    this.keepMatches("code", said, /"(?:code|typedCode)":"(?![a-z_]+")([\w-]+)"/g);
    this.keepMatches("shared secret", said, /"sharedSecret":"([^"]+)"/g);
  }

  keep(kind: string, ...values: readonly string[]): void {
    for (const value of values) this.#secrets.set(value, kind);
  }

  keepMatches(kind: string, text: string, pattern: RegExp): void {
    for (const [, value = ""] of text.matchAll(pattern)) this.keep(kind, value);
  }

  get kinds(): Set<string> {
    return new Set(this.#secrets.values());
  }

  /** The kinds of secrets that are in a text. */
  findIn(text: string): Set<string> {
    return new Set([...this.#secrets].filter(([value]) => text.includes(value)).map(([, kind]) => kind));
  }
}

async function linkInEveryWay(world: World, ears: Eavesdropper): Promise<void> {
  await world.link(GRACE);
  const page = world.page(LINUS);
  const browser = await world.browser(LINUS);
  const attempt = await page.beginLink();
  await page.openPopup(attempt, browser);
  const code = await readTypedCode(browser);
  ears.keep("code", code);
  const wrong = { attempt: attempt.id, code: `${code}X` };
  (await page.send("POST", "/api/v1/me/links", wrong)).expect(422);
  await page.finishLink(attempt, code);
  const accessJwt = await world.team.signAccessJwt(ADA, AUDIENCES.app);
  (await world.page(ADA).send("POST", "/api/v1/me/links", { accessJwt })).expect(201);
}

async function askWithEveryToken(world: World): Promise<void> {
  const { team } = world;
  const identify = async (token: string, status: number) => (await world.identify(token)).expect(status);
  const grace = await team.signAccessJwt(GRACE, AUDIENCES.demo);
  await identify(grace, 200);
  await identify(grace.slice(0, -5), 401);
  await identify(`${grace}.x`, 401);
  await identify(await team.signAccessJwt(OSCAR, AUDIENCES.demo), 404);
  await identify(await team.signAccessJwt(GRACE, "f".repeat(64)), 401);
  await identify(await team.signAccessJwt(GRACE, AUDIENCES.demo, { claims: { exp: 1 } }), 401);
  await identify(await team.signAccessJwt(NIGHTLY_BUILD, AUDIENCES.demo), 403);
}

async function callInEveryWrongWay({ appUrl, parts, site }: World): Promise<void> {
  const me = `${appUrl}/api/v1/me`;
  const token = await site.contextJwt("jira", GRACE.accountId);
  const forged = await site.contextJwt("jira", GRACE.accountId, { secret: "guessed".repeat(6) });
  const send = async (status: number, url: string, authorization: string, body?: string) => {
    const headers = { authorization, "content-type": "application/json" };
    const call = { caller: "Somebody", method: body ? "POST" : "GET", url, headers, body };
    (await parts.client.send(call)).expect(status);
  };
  await send(401, me, `JWT ${forged}`);
  await send(401, me, `Bearer ${token}`);
  await send(400, `${me}?jwt=${forged}`, `JWT ${token}`);
  await send(404, `${appUrl}/${token}/${GRACE.email}`, "");
  await send(404, `${appUrl}/link/start/`, "");
  await send(400, `${me}/links`, `JWT ${token}`, `{"accessJwt": "${token}", ${GRACE.email}}`);
  await send(422, `${me}/links`, `JWT ${token}`, JSON.stringify({ [GRACE.email]: token }));
}

/** What a library complains of holds what it failed on. */
async function breakEverything(deployment: Deployment): Promise<void> {
  const { world } = deployment;
  const { site, team } = world;
  site.behaviour.failing = true;
  (await world.page(LINUS, "confluence").send("GET", "/api/v1/settings")).expect(502);
  site.behaviour.failing = false;
  await deployment.query(
    "CREATE TRIGGER planted BEFORE INSERT ON links BEGIN SELECT RAISE(ABORT, 'planted'); END",
  );
  const accessJwt = await team.signAccessJwt(OSCAR, AUDIENCES.app);
  (await world.page(OSCAR).send("POST", "/api/v1/me/links", { accessJwt })).expect(500);
  team.behaviour.off = true;
  await team.rotateKeys();
  (await world.identify(await team.signAccessJwt(GRACE, AUDIENCES.demo))).expect(503);
  await deployment.query("UPDATE tenants SET shared_secret = substr(shared_secret, 1, 40)");
  (await world.page(GRACE).send("GET", "/api/v1/me")).expect(500);
}

it(
  "leaves no secret, token, code or address in its output, and no secret in its database",
  PATIENCE,
  async ({ deployment }) => {
    const { world } = deployment;
    const ears = new Eavesdropper();
    world.parts.client.observer = ears;
    const env = { LOG_LEVEL: "trace", METRICS_TOKEN: "metrics-token", ENCRYPTION_KEYS: "k".repeat(43) };
    ears.keep("operator's secret", env.METRICS_TOKEN, env.ENCRYPTION_KEYS);
    ears.keep("e-mail", ...PEOPLE.map(({ email }) => email));
    const readDatabase = () =>
      ["", "-wal"]
        .map((suffix) => `${deployment.databaseFile}${suffix}`)
        .map((file) => (existsSync(file) ? readFileSync(file, "latin1") : ""))
        .join("");

    const app = await deployment.startApp(env);
    await world.prepare();
    await linkInEveryWay(world, ears);
    await askWithEveryToken(world);
    await callInEveryWrongWay(world);
    expect(readDatabase()).toContain(world.site.getInstallation("jira").clientKey);
    // The label of a link, which admins search for.
    expect(ears.findIn(readDatabase())).toEqual(new Set(["e-mail"]));
    await world.install("jira");
    (await world.site.uninstall("confluence")).expect(204);
    await world.install("confluence");
    await breakEverything(deployment);
    app.kill("SIGTERM");
    const { stdout, stderr } = await app.ended;
    expect(ears.findIn(readDatabase())).toEqual(new Set(["e-mail"]));

    expect(ears.kinds).toEqual(
      new Set(["JWT", "cookie", "attempt id", "code", "shared secret", "operator's secret", "e-mail"]),
    );
    expect(ears.findIn(stdout)).toEqual(new Set());
    expect(stderr).toBe("");

    const lines = stdout.trimEnd().split("\n");
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const entry of entries) {
      expect(entry).toEqual(
        expect.objectContaining({
          level: expect.any(Number) as number,
          time: expect.any(String) as string,
          msg: expect.any(String) as string,
        }),
      );
    }
    const found = entries.filter(({ reference }) => ears.references.includes(String(reference)));
    expect(found).toHaveLength(ears.references.length);
  },
);
