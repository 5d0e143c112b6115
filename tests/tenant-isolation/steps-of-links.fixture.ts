import fc from "fast-check";

import { PRODUCTS } from "../../src/tenants/tenant.js";
import { removeOwn } from "./account.fixture.js";
import { removeAsAdmin, restore } from "./administration.fixture.js";
import {
  ADMIN_OF,
  AUDIENCE_NAMES,
  AUDIENCE_OF,
  PLACES,
  type AudienceName,
  type SiteName,
  type TenantName,
} from "./cast.fixture.js";
import {
  actor,
  back,
  describeActor,
  describeBack,
  describeKey,
  describeTarget,
  describeToken,
  findKey,
  findLink,
  findTarget,
  holderOf,
  keyChoice,
  mostly,
  ownerOf,
  resolveActor,
  signToken,
  target,
  tenantOf,
  token,
} from "./choices.fixture.js";
import { identify } from "./hosts.fixture.js";
import { kind } from "./step.fixture.js";

/** What links are good for, and how they end. */

const NO_LINK = "00000000-0000-4000-8000-000000000000";

export const asks = kind(
  fc.record({
    count: back,
    token,
    site: mostly<SiteName | "nobody's" | "its">("its", "acme", "globex", "nobody's"),
    product: fc.option(fc.constantFrom(...PRODUCTS), { freq: 2 }),
    audience: fc.option(mostly<AudienceName | "its own">("its own", ...AUDIENCE_NAMES), { freq: 2 }),
    method: mostly<"GET" | "HEAD">("GET", "HEAD"),
    key: keyChoice,
  }),
  ({ count, token, site, product, audience, method, key }) => ({
    text: `a service sends ${method} to ask ${site} site, ${product ?? "any product"}, ${audience ?? "any"} audience, for the holder of ${describeBack("link", count)}, with ${describeToken(token)} and ${describeKey(key)}`,
    play: async (run) => {
      const link = findLink(run, count);
      const holder = { person: holderOf(link), tenant: tenantOf(link) };
      const signed = await signToken(run, token, holder, "identify");
      const question = {
        site: site === "its" ? PLACES[holder.tenant].site : site,
        product,
        audience: audience === "its own" ? signed.audience : audience && AUDIENCE_OF[audience],
      };
      await identify(run, question, signed, findKey(run, key, holder.tenant, signed), method);
    },
  }),
);

type Change = "removes as an admin" | "restores" | "removes as their own";

export const changesLink = kind(
  fc.record({
    actor,
    target,
    change: fc.constantFrom<Change>("removes as an admin", "restores", "removes as their own"),
  }),
  ({ actor, target, change }) => ({
    text: `${describeActor(actor)} ${change}: ${describeTarget(target)}`,
    play: (run) => {
      const link = findTarget(run, target);
      const findPerson = (tenant: TenantName) =>
        change === "removes as their own" ? ownerOf(link) : ADMIN_OF[tenant];
      const send = {
        "removes as an admin": removeAsAdmin,
        restores: restore,
        "removes as their own": removeOwn,
      };
      return send[change](run, resolveActor(actor, link, findPerson), link?.id ?? NO_LINK);
    },
  }),
);
