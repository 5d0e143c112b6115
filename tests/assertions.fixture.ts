import { createRemoteJWKSet, jwtVerify, type JWTVerifyResult } from "jose";

import { audienceOf } from "../sandbox/access-team.js";
import type { NewService, SettingsChanges } from "../sandbox/app-page.js";
import type { Reply } from "../sandbox/http-client.js";
import { ADA, GRACE, type Person } from "../sandbox/people.js";
import { SERVICES } from "../sandbox/world.js";
import type { Product } from "../src/tenants/tenant.js";
import { consentPath, readMine } from "./consents.fixture.js";
import { createScene, type LinkingWorld, type Scene } from "./linking-scene.fixture.js";

/** The service that pages call, as an admin enters it. */
export const PLANNER: NewService = {
  label: "Release planner",
  audience: audienceOf("Release planner"),
  purposes: ["assert"],
};

export const LIMITS = {
  requests: [],
  maxTokenAgeSeconds: null,
  ipAddresses: [],
  consent: "required",
  liveCheckSeconds: null,
} as const;

export const ASSERTIONS = "/api/v1/me/assertions";
export const ROTATE = "/api/v1/settings/assertion-keys/rotate";

export interface Jwk {
  readonly kid: string;
  readonly [member: string]: string;
}

/** What a service is configured with, once: nothing of it comes from a token. */
export interface Pinned {
  readonly issuer: string;
  readonly audience: string;
}

/** A site where the app is installed, the planner is listed, and Grace has linked and agreed. */
export async function startAsserting(
  world: Omit<LinkingWorld, "close">,
  { products = ["jira"], settings = {} }: { products?: readonly Product[]; settings?: SettingsChanges } = {},
): Promise<Scene> {
  const services = [SERVICES[0], PLANNER];
  const scene = await createScene(world, { products, settings: { services, ...settings } });
  for (const product of products) {
    (await scene.linkWithToken(GRACE, await scene.accessJwtOf(GRACE), product)).expect(201);
    await agreeAll(scene, GRACE, product);
  }
  return scene;
}

/** To whatever the page shows. */
export async function agreeAll(scene: Scene, person: Person, product: Product = "jira"): Promise<void> {
  const page = scene.page(person, product);
  for (const { serviceId, digest } of (await readMine(page)).services) {
    (await page.send("PUT", consentPath(serviceId), { digest })).expect(204);
  }
}

export async function plannerOf(scene: Scene, product: Product = "jira"): Promise<string> {
  const { services } = await scene.page(ADA, product).getSettings();
  return services.find(({ audience }) => audience === PLANNER.audience)?.id ?? "";
}

/** As a page does it. */
export async function ask(scene: Scene, person: Person = GRACE, product: Product = "jira"): Promise<Reply> {
  const serviceId = await plannerOf(scene, product);
  return scene.page(person, product).send("POST", ASSERTIONS, { serviceId });
}

export async function getAssertion(scene: Scene, product: Product = "jira"): Promise<string> {
  return ((await ask(scene, GRACE, product)).expect(201).body as { assertion: string }).assertion;
}

export function issuerOf({ world, site }: Scene, product: Product = "jira"): string {
  return `${world.appUrl}/sites/${site.host}/${product}`;
}

export async function readKeys(scene: Scene, product: Product = "jira"): Promise<readonly Jwk[]> {
  const reply = await scene.world.parts.client.send({
    caller: "A service",
    method: "GET",
    url: `${issuerOf(scene, product)}/jwks.json`,
  });
  return (reply.expect(200).body as { keys: Jwk[] }).keys;
}

/** As a service does it with plain jose that has just been started. */
export async function verify(token: string, { issuer, audience }: Pinned): Promise<JWTVerifyResult> {
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks.json`));
  return jwtVerify(token, keys, { issuer, audience, typ: "assertion+jwt", algorithms: ["ES256"] });
}
