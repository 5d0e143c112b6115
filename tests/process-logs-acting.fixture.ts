import type { NewService } from "../sandbox/app-page.js";
import { epochSeconds, type Claims } from "../sandbox/jwt.js";
import { ADA, GRACE, LINUS, type Person } from "../sandbox/people.js";
import { SERVICES } from "../sandbox/world.js";
import { ACTING, acting } from "./gateway.fixture.js";
import { consentPath, readMine } from "./consents.fixture.js";
import type { Scene } from "./production.fixture.js";

const { free, asking, local } = ACTING;
const ELSEWHERE = acting("elsewhere", {
  ipAddresses: ["203.0.113.0/24"],
  requests: local.limits?.requests ?? [],
});
const YESTERDAY = { iat: epochSeconds() - 90_000, nbf: epochSeconds() - 90_000 };

/** Acts, agrees and withdraws, and is refused in every way. Leaves the settings as they were. */
export async function actInEveryWay({ world, execute }: Scene): Promise<void> {
  const admin = world.page(ADA);
  await admin.saveSettings({ services: [...SERVICES, free, asking, ELSEWHERE] });
  const call = async (status: number, service: NewService, changes: Changes = {}) => {
    const { as = GRACE, claims = {}, method = "GET", path = "jira/rest/api/3/myself" } = changes;
    const token = await world.team.signAccessJwt(as, service.audience, { claims });
    const url = `${world.appUrl}/api/v1/sites/${world.site.host}/${path}`;
    const headers = { authorization: `Bearer ${token}` };
    (await world.parts.client.send({ caller: "A service", method, url, headers })).expect(status);
  };
  await call(200, free);
  await call(403, free, { path: "jira/rest/api;x" });
  await call(401, free, { path: "confluence/rest/api/user/current" });
  await call(403, free, { claims: YESTERDAY });
  await call(403, ELSEWHERE);
  await execute(`UPDATE links SET method = 'admin' WHERE account_id = '${LINUS.accountId}'`);
  await call(403, free, { as: LINUS });
  await call(403, asking);

  const page = world.page(GRACE);
  const mine = (await readMine(page)).services.find(({ label }) => label === asking.label);
  if (!mine) throw new Error("The page doesn't show the service.");
  const path = consentPath(mine.serviceId);
  (await page.send("PUT", path, { digest: "0".repeat(64) })).expect(409);
  (await page.send("PUT", path, { digest: mine.digest })).expect(204);
  await call(200, asking);
  (await page.send("DELETE", path)).expect(204);

  const installation = world.site.getInstallation("jira");
  const { app } = installation;
  Object.assign(installation, { app: { ...app, scopes: ["READ"] } });
  await call(403, free, { method: "DELETE" });
  Object.assign(installation, { app: null });
  await call(502, free, { method: "POST" });
  Object.assign(installation, { app });
  await admin.saveSettings({ services: SERVICES });
}

interface Changes {
  readonly as?: Person;
  readonly claims?: Claims;
  readonly method?: string;
  readonly path?: string;
}
