import { decodeJwt } from "jose";
import { expect } from "vitest";

import type { NewService } from "../sandbox/app-page.js";
import { json, text } from "../sandbox/http-server.js";
import { epochSeconds, type Claims } from "../sandbox/jwt.js";
import { ADA, GRACE, LINUS, type Person } from "../sandbox/people.js";
import { SERVICES } from "../sandbox/world.js";
import { ACTING, acting } from "./gateway.fixture.js";
import type { Eavesdropper } from "./process-logs.fixture.js";
import type { Scene } from "./production.fixture.js";

const { free, asking, local } = ACTING;
const ELSEWHERE = acting("elsewhere", {
  ipAddresses: ["203.0.113.0/24"],
  requests: local.limits?.requests ?? [],
});
/** May do everything that there is, with a key, for as long as Access says that the session lasts. */
const GUARDED: NewService = {
  ...acting("guarded", { requests: free.limits?.requests ?? [], consent: "given", liveCheckSeconds: 10 }),
  purposes: ["identify", "act", "assert"],
};
const YESTERDAY = { iat: epochSeconds() - 90_000, nbf: epochSeconds() - 90_000 };

/** Acts, agrees and withdraws, and is refused in every way. Leaves the settings as they were. */
export async function actInEveryWay(scene: Scene): Promise<void> {
  const { world, execute } = scene;
  const admin = world.page(ADA);
  await admin.saveSettings({ services: [...SERVICES, free, asking, ELSEWHERE] });
  const call = createCaller(scene);
  await call(200, free);
  await call(403, free, { path: "jira/rest/api;x" });
  await call(401, free, { path: "confluence/rest/api/user/current" });
  await call(403, free, { claims: YESTERDAY });
  await call(403, ELSEWHERE);
  await execute(`UPDATE links SET method = 'admin' WHERE account_id = '${LINUS.accountId}'`);
  await call(403, free, { as: LINUS });
  await call(403, asking);

  const page = world.page(GRACE);
  const { serviceId } = await page.findService(asking.label);
  (await page.sendConsent(serviceId, "0".repeat(64))).expect(409);
  await page.agree(asking.label);
  await call(200, asking);
  await page.withdraw(asking.label);

  const installation = world.site.getInstallation("jira");
  const { app } = installation;
  Object.assign(installation, { app: { ...app, scopes: ["READ"] } });
  await call(403, free, { method: "DELETE" });
  Object.assign(installation, { app: null });
  await call(502, free, { method: "POST" });
  Object.assign(installation, { app });
  await admin.saveSettings({ services: SERVICES });
}

/** With a key, with live checks, and with secrets where they don't belong. Leaves the settings as they were. */
export async function actWithSecrets(scene: Scene, ears: Eavesdropper): Promise<void> {
  const { world } = scene;
  const admin = world.page(ADA);
  const { services } = await admin.saveSettings({ services: [...SERVICES, free, GUARDED] });
  const serviceId = services.find(({ label }) => label === GUARDED.label)?.id ?? "";
  const keys = `/api/v1/services/${serviceId}/keys`;
  const { id, key } = (await admin.send("POST", keys)).expect(201).body as { id: string; key: string };
  const call = createCaller(scene);
  const withKey = { "x-service-key": key };

  await call(200, GUARDED, { headers: withKey });
  await call(403, GUARDED);
  for (const wrong of [`${key}A`, ears.plant("a service key"), `sk_${ears.plant("a service key")}`]) {
    await call(403, GUARDED, { headers: { "x-service-key": wrong } });
  }
  const ended = await world.team.signAccessJwt(GRACE, GUARDED.audience);
  world.team.endSession(ended);
  await call(401, GUARDED, { headers: withKey, token: ended });
  world.team.server.routes.unshift([
    "GET",
    /get-identity$/,
    ({ headers }) => text(500, `${headers.cookie ?? ""} ${GRACE.email}`),
  ]);
  await call(502, GUARDED, { headers: withKey });
  world.team.server.routes.shift();

  for (const secret of [key, ears.plant("a place that isn't for secrets"), ended, GRACE.email]) {
    const encoded = encodeURIComponent(secret);
    await call(200, GUARDED, {
      headers: { ...withKey, "user-agent": secret, referer: secret, cookie: secret },
    });
    await call(404, free, { path: `jira/rest/${encoded}?${encoded}=${encoded}` });
    await call(403, free, { path: `jira/rest/x;${encoded}?jwt=${encoded}` });
    await call(404, free, { path: `jira/rest/x`, as: ADA, method: "POST", body: { [secret]: secret } });
    for (const path of [`/sites/${encoded}/jira/jwks.json`, `/api/v1/sites/${encoded}/jira/rest/x`]) {
      await world.parts.client.send({
        caller: "Somebody who is lost",
        method: "GET",
        url: `${world.appUrl}${path}`,
        headers: withKey,
      });
    }
    await admin.send("DELETE", `${keys}/${encoded}`);
    await world.page(GRACE).send("POST", "/api/v1/me/assertions", { serviceId: secret });
    await world.page(GRACE).send("POST", "/api/v1/me/news/seen", { until: secret });
    await world.page(GRACE).send("POST", `/api/v1/me/links/${encoded}/confirm`, { email: secret });
  }
  await repeatAtEverybody(scene, call);

  const reply = await world.page(GRACE).send("POST", "/api/v1/me/assertions", { serviceId });
  const { assertion } = reply.expect(201).body as { assertion: string };
  expect(decodeJwt(assertion)["access"]).toMatchObject({ email: GRACE.email });
  await call(401, GUARDED, { headers: withKey, token: assertion });
  (await admin.send("DELETE", `${keys}/${id}`)).expect(204);
  await admin.saveSettings({ services: SERVICES });
}

/** Atlassian and the product repeat what the app shows them. */
async function repeatAtEverybody({ world }: Scene, call: Caller): Promise<void> {
  const { oauth } = world.parts;
  for (const status of [200, 400, 401, 403, 500]) {
    oauth.server.routes.unshift([
      "POST",
      /./,
      ({ body }) =>
        json(status, { error: `${body} ${GRACE.email}`, access_token: `${body} x`, expires_in: 60 }),
    ]);
    await call(502, free, { as: ADA, method: "DELETE" });
    oauth.server.routes.shift();
  }
  const names = ["x-arequestid", "warning", "etag"];
  for (const status of [200, 401, 404, 500]) {
    world.site.server.routes.unshift([
      "GET",
      /^\/rest\/repeats$/,
      ({ headers: { authorization = "" } }) => ({
        status,
        headers: Object.fromEntries(names.map((name) => [name, authorization])),
        body: `${authorization} ${GRACE.email}`,
      }),
    ]);
    await call(status, free, { path: "jira/rest/repeats" });
    world.site.server.routes.shift();
  }
}

type Caller = (status: number, service: NewService, changes?: Changes) => Promise<void>;

function createCaller({ world }: Scene): Caller {
  return async (status, service, changes = {}) => {
    const {
      as = GRACE,
      claims = {},
      method = "GET",
      path = "jira/rest/api/3/myself",
      headers,
      body,
    } = changes;
    const token = changes.token ?? (await world.team.signAccessJwt(as, service.audience, { claims }));
    const url = `${world.appUrl}/api/v1/sites/${world.site.host}/${path}`;
    const sent = { authorization: `Bearer ${token}`, ...headers };
    const call = { caller: "A service", method, url, headers: sent };
    (await world.parts.client.send({ ...call, ...(body !== undefined && { body }) })).expect(status);
  };
}

interface Changes {
  readonly as?: Person;
  readonly claims?: Claims;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Instead of one that is made of the above. */
  readonly token?: string;
}
