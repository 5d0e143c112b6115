import { setTimeout as sleep } from "node:timers/promises";

import { audienceOf } from "../../sandbox/access-team.js";
import type { NewService } from "../../sandbox/app-page.js";
import type { Reply } from "../../sandbox/http-client.js";
import { ADA, GRACE, type Person } from "../../sandbox/people.js";
import { SERVICES, type World } from "../../sandbox/world.js";
import { AUDIENCES } from "../../sandbox/world-parts.js";
import { REQUEST_PRESETS } from "../../public/request-presets.js";
import type { Product } from "../../src/tenants/tenant.js";
import { reader } from "../consents.fixture.js";
import { readMe } from "./account-services.fixture.js";
import type { BrowserScene } from "./scene.fixture.js";

/** A tool that pages call, and that nobody has to be asked about. */
export const PLANNER: NewService = {
  label: "Release planner",
  audience: audienceOf("Release planner"),
  purposes: ["assert"],
  limits: { consent: "given" },
};

const COMMENT = { body: { type: "doc", version: 1, content: [] } };
const ISSUE = "/rest/api/3/issue/SAND-1";

/** A site in a world, by whichever door the app came in. */
interface ActingScene {
  readonly world: World;
  readonly site: { readonly host: string };
}

/** As the demo service does it, with the token of somebody's visit. */
export async function act(
  scene: ActingScene,
  {
    person = GRACE,
    method = "GET",
    product = "jira",
    path = ISSUE,
    body,
  }: Partial<Pick<Reply["call"], "method" | "body">> & {
    readonly person?: Person;
    readonly product?: Product;
    readonly path?: string;
  } = {},
): Promise<Reply> {
  const token = await scene.world.team.signAccessJwt(person, AUDIENCES.demo);
  return scene.world.parts.client.send({
    caller: "Demo service",
    method,
    url: `${scene.world.appUrl}/api/v1/sites/${scene.site.host}/${product}${path}`,
    headers: { authorization: `Bearer ${token}` },
    ...(body !== undefined && { body }),
  });
}

/** The demo service has acted as Grace, well and less well, and a page of hers has called the planner. */
export async function prepareUse(scene: BrowserScene): Promise<void> {
  const demo = reader({
    consent: "given",
    requests: REQUEST_PRESETS.jira.flatMap(({ requests }) => requests),
  });
  await scene.prepare({ settings: { services: [SERVICES[0], demo, PLANNER] } });
  await scene.link(GRACE);
  (await act(scene)).expect(200);
  (await act(scene, { path: "/rest/api/3/issue/SAND-404" })).expect(404);
  (await act(scene, { method: "POST", path: `${ISSUE}/comment`, body: COMMENT })).expect(201);
  scene.site.behaviour.off = true;
  (await act(scene)).expect(502);
  scene.site.behaviour.off = false;
  await vouch(scene);
  await waitUntilCounted(scene);
}

/** Use is counted a moment after the answer. */
async function waitUntilCounted(scene: BrowserScene): Promise<void> {
  const deadline = Date.now() + scene.patienceMs;
  while ((await readMe(scene)).services.some(({ lastActedAt }) => lastActedAt === null)) {
    if (Date.now() > deadline) throw new Error("What services did was never counted.");
    await sleep(50);
  }
}

async function vouch(scene: BrowserScene): Promise<void> {
  const { services } = await scene.client(ADA).getSettings();
  const planner = services.find(({ label }) => label === PLANNER.label);
  (await scene.client(GRACE).send("POST", "/api/v1/me/assertions", { serviceId: planner?.id })).expect(201);
}
