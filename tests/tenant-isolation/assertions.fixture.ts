import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet } from "jose";
import { expect } from "vitest";

import { isEmailAllowed } from "../../src/services/email-domain.js";
import type { Product } from "../../src/tenants/tenant.js";
import { PERSON, PLACES, type SiteName, type TenantName } from "./cast.fixture.js";
import { expectSentAway } from "./acting.fixture.js";
import {
  isAgreed,
  isAtHome,
  isOlder,
  isProved,
  type Caller,
  type KnownLink,
  type KnownTenant,
} from "./known.fixture.js";
import type { Run } from "./run.fixture.js";
import { countOutcome, countPerson } from "./uses.fixture.js";

/** What services are told of who looks at a page, and with whose keys, each held against the model. */

export async function issueAssertion(run: Run, caller: Caller, serviceId: string): Promise<void> {
  const { model, stage } = run;
  const reply = await stage.ask(caller, "POST", "/api/v1/me/assertions", { serviceId });
  if (run.wasRefused("assert", reply, model.refuseUser(caller))) return;
  const tenant = model.get(caller.tenant);
  const service = tenant.settings.services.find(({ id }) => id === serviceId);
  if (run.wasRefused("assert", reply, !isAtHome(tenant) ? "paused" : service ? null : "not_found")) return;
  if (!service) return;
  const { accountId } = PERSON[caller.person];
  const refused = judge(tenant, accountId, service);
  countOutcome({ tenant, serviceId, outcome: refused?.code ?? "asserted" });
  if (refused) {
    expectSentAway(run, "assert", reply, tenant, refused);
    return;
  }
  run.expectAnswer("assert", reply, 201);
  const { assertion } = reply.body as { assertion: string };
  const { jti } = decodeJwt(assertion);
  countPerson(tenant, serviceId, accountId);
  run.own(String(jti), tenant.name);
  run.note(tenant, reply, {
    action: "assertion.issued",
    actor: { type: "user", accountId },
    target: { type: "service", id: serviceId },
    after: { label: service.label, jti },
  });
  await verify(run, tenant, assertion, { aud: service.audience, accountId });
}

function judge(
  tenant: KnownTenant,
  accountId: string,
  service: KnownTenant["settings"]["services"][number],
): Parameters<typeof expectSentAway>[4] | null {
  const { settings } = tenant;
  if (settings.paused || service.paused) return { code: "paused", page: null };
  if (!service.purposes.includes("assert")) return { code: "purpose_not_allowed", page: null };
  const links = listOfTeam(tenant, accountId);
  if (links.length === 0) return { code: "not_linked", page: { name: "linkUrl", entry: "" } };
  const allowed = links.filter(({ email }) => isEmailAllowed(email, settings.allowedEmailDomains));
  const [first] = allowed;
  if (!first) return { code: "email_domain_not_allowed", page: null };
  if (!allowed.some(isProved)) {
    return { code: "proof_required", page: { name: "linkUrl", entry: `?ac.link=${first.id}` } };
  }
  if (isAgreed(tenant, accountId, service)) return null;
  return { code: "consent_required", page: { name: "consentUrl", entry: `?ac.service=${service.id}` } };
}

/** Oldest first. */
function listOfTeam({ links, settings }: KnownTenant, accountId: string): KnownLink[] {
  return links
    .filter((link) => link.accountId === accountId && link.issuer === `https://${settings.teamDomain ?? ""}`)
    .sort((one, other) => (isOlder(one, other) ? -1 : 1));
}

/** As a service does it that has pinned the tenant. */
async function verify(
  run: Run,
  tenant: KnownTenant,
  assertion: string,
  { aud, accountId }: { readonly aud: string; readonly accountId: string },
): Promise<void> {
  const { site, product } = PLACES[tenant.name];
  const host = run.stage.hostOf(site);
  const issuer = `${run.stage.appUrl}/sites/${host}/${product}`;
  const { keys } = await readKeySet(run, tenant.name);
  tenant.signingKid ??= keys[0]?.kid ?? null;
  expectKeys(tenant, keys);
  const options = { issuer, audience: aud, typ: "assertion+jwt", algorithms: ["ES256"] };
  const { payload } = await jwtVerify(assertion, createLocalJWKSet({ keys }), options);
  expect(payload).toMatchObject({ sub: accountId, tenant: tenant.id, site: host, product });
  const proofs = listOfTeam(tenant, accountId)
    .filter(({ method, email }) => {
      return method === "proof" && isEmailAllowed(email, tenant.settings.allowedEmailDomains);
    })
    .map(({ issuer: iss, subject: sub, email }) => ({ iss, sub, email }));
  if (proofs.length === 0) expect(payload).not.toHaveProperty("access");
  else expect(proofs).toContainEqual(payload["access"]);
}

/** Only of those that a host vouches for, and only their own. */
export async function readKeys(run: Run, name: TenantName, method: "GET" | "HEAD"): Promise<void> {
  if (method === "HEAD") {
    run.expectHead(await run.stage.read(keysPath(run, name), "HEAD"), null);
    return;
  }
  const { keys } = await readKeySet(run, name);
  const tenant = run.model.tenants.get(name);
  if (!tenant) expect(keys).toEqual([]);
  else expectKeys(tenant, keys);
}

/** Where no tenant is that its host vouches for. */
export async function readNoKeys(run: Run, site: SiteName, product: Product): Promise<void> {
  const path = `/sites/${run.stage.hostOf(site)}/${product}/jwks.json`;
  run.expectAnswer("read no keys", await run.stage.read(path, "GET"), 200, { keys: [] });
}

async function readKeySet(run: Run, name: TenantName): Promise<JSONWebKeySet> {
  const reply = await run.stage.read(keysPath(run, name), "GET");
  const keySet = reply.body as JSONWebKeySet;
  run.expectAnswer(`read ${keySet.keys.length > 0 ? "keys" : "no keys"}`, reply, 200);
  const kids = keySet.keys.flatMap(({ kid }) => kid ?? []);
  run.expectTells(reply, kids);
  for (const kid of kids) run.own(kid, name);
  return keySet;
}

function expectKeys(tenant: KnownTenant, keys: JSONWebKeySet["keys"]): void {
  const isSpoken = tenant.state === "enabled" && isAtHome(tenant);
  const expected = isSpoken && tenant.signingKid !== null ? [tenant.signingKid] : [];
  expect(keys.map(({ kid }) => kid)).toEqual(expected);
}

function keysPath({ stage }: Run, name: TenantName): string {
  const { site, product } = PLACES[name];
  return `/sites/${stage.hostOf(site)}/${product}/jwks.json`;
}

export async function rotateKeys(run: Run, caller: Caller): Promise<void> {
  const reply = await run.stage.ask(caller, "POST", "/api/v1/settings/assertion-keys/rotate");
  if (run.wasRefused("rotate", reply, run.model.refuseAdmin(caller))) return;
  const tenant = run.model.get(caller.tenant);
  const text = expect.any(String) as unknown;
  run.expectAnswer("rotate", reply, 200, { kid: text, createdAt: text });
  const { kid } = reply.body as { kid: string };
  run.own(kid, tenant.name);
  tenant.signingKid = kid;
  run.note(tenant, reply, {
    action: "assertion_keys.rotated",
    actor: { type: "user", accountId: PERSON[caller.person].accountId },
    target: { type: "tenant", id: tenant.id },
    after: { kid },
  });
}
