import { z } from "zod";

import { PROBLEMS, type ProblemCode } from "../errors.js";

/** The shapes of the answers, for openapi.json; the tests hold every real answer against them. */

const time = z.iso.datetime().meta({ description: "ISO 8601, UTC." });
const productName = z.enum(["jira", "confluence"]);
const method = z.enum(["proof", "email", "admin"]).meta({ description: "How the link was proved." });
const json = z.record(z.string(), z.unknown()).nullable();

const requests = z.array(z.strictObject({ methods: z.array(z.string()), path: z.string() }));
const purposes = z.array(z.enum(["link", "identify", "act", "assert"]));

const service = z.strictObject({
  id: z.string(),
  label: z.string(),
  audience: z.string().regex(/^[0-9a-f]{64}$/),
  purposes,
  limits: z
    .strictObject({
      requests,
      maxTokenAgeSeconds: z.int().nullable(),
      ipAddresses: z.array(z.string()),
      consent: z.enum(["required", "given"]),
      liveCheckSeconds: z
        .int()
        .nullable()
        .meta({ description: "For how long Access' word that the session lasts counts; null: not asked." }),
    })
    .nullable(),
  paused: z.boolean(),
});

export const settings = z.strictObject({
  teamDomain: z.string().nullable(),
  services: z.array(service),
  allowedEmailDomains: z.array(z.string()),
  matching: z.enum(["proof", "email"]),
  paused: z.boolean(),
  version: z.int(),
});

const nothing = z.null().meta({ description: "There is none." });

export const predecessor = z.discriminatedUnion("available", [
  z.strictObject({
    available: z.literal(true),
    installedAt: time,
    services: z.int().nonnegative(),
    links: z.int().nonnegative(),
  }),
  z.strictObject({ available: z.literal(false), installedAt: nothing, services: nothing, links: nothing }),
]);

export const serviceKey = z.strictObject({
  id: z.string(),
  hint: z.string().meta({ description: "The key's last four characters." }),
  createdAt: time,
});

export const createdServiceKey = serviceKey.extend({
  key: z
    .string()
    .regex(/^sk_[\w-]{43}$/)
    .meta({ description: "Told this once; the service sends it in X-Service-Key." }),
});

const count = z.int().nonnegative();

export const serviceOverview = z.strictObject({
  serviceId: z.string(),
  label: z.string(),
  consents: count.meta({ description: "How many people agree to what the service may do now." }),
  keys: z.array(
    serviceKey.extend({
      lastUsedAt: time
        .nullable()
        .meta({ description: "When a call last came with the key; null when none has yet." }),
    }),
  ),
  use: z.strictObject({
    days: count.meta({ description: "The days that this is about, today included." }),
    identified: count,
    acted: count,
    asserted: count,
    people: count.meta({ description: "For how many people the service acted, or was given assertions." }),
    refusals: z.array(z.strictObject({ code: z.string(), count, lastAt: time })),
    lastUsedAt: time.nullable(),
  }),
});

export const teamCheck = z.strictObject({
  ok: z.boolean(),
  teamDomain: z.string().nullable(),
  keyCount: z.int(),
  kids: z.array(z.string()),
  milliseconds: z.int(),
  problem: z.strictObject({ code: z.string(), detail: z.string() }).nullable(),
});

export const link = z.strictObject({
  id: z.string(),
  accountId: z.string(),
  email: z.string(),
  issuer: z.string(),
  method,
  linkedAt: time,
  lastUsedAt: time.nullable(),
  confirmedAt: time.nullable().meta({ description: "When its owner confirmed a link that wasn't proved." }),
  standing: z.enum(["proved", "confirmed", "unconfirmed", "lapsed"]).meta({
    description:
      "Services may act only through a proved or confirmed link. An unconfirmed one waits for its owner; a lapsed one wasn't used for 90 days, and is to be proved or confirmed again.",
  }),
});

export const popupCheck = z.strictObject({
  ok: z.boolean(),
  url: z
    .url()
    .meta({ description: "What was looked at: the linking window's path at the app's public URL." }),
  finding: z.enum([
    "behind_access",
    "no_link_service",
    "open",
    "other_team",
    "other_application",
    "unreachable",
    "unclear",
  ]),
  teamDomain: z.string().nullable().meta({ description: "The team that asks for a sign-in there." }),
  audience: z.string().nullable().meta({ description: "AUD tag of the application that asks for it." }),
  detail: z.string(),
});

const actingService = z.strictObject({
  serviceId: z.string(),
  label: z.string(),
  purposes,
  requests: requests.meta({ description: "All that the service may do; none means nothing." }),
  maxTokenAgeSeconds: z.int().meta({ description: "For so long after a sign-in to Access." }),
  standing: z.enum(["undecided", "given", "agreed", "changed", "withdrawn"]).meta({
    description:
      "Whether the service may act for me: only if agreed to, or given by an admin for everybody. Changed means that it may do something else than what I agreed to.",
  }),
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .meta({ description: "Of what is shown here; agreeing sends it back." }),
  decidedAt: time.nullable(),
  paused: z.boolean().meta({ description: "An admin has paused the service: it does nothing for anybody." }),
  lastActedAt: time.nullable().meta({ description: "When the service last did something for me." }),
  calls: z.int().meta({ description: "How often." }),
});

const news = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("linked"), at: time, linkId: z.string(), email: z.string() }),
  z.strictObject({ type: z.literal("acted"), at: time, serviceId: z.string(), label: z.string() }),
]);

export const activity = z.strictObject({
  at: time,
  serviceId: z.string(),
  label: z.string().meta({ description: "What the service was called then." }),
  method: z.string(),
  path: z.string().meta({ description: "The pattern that allowed the call." }),
  status: z.int().nullable().meta({ description: "What the service got; null when it had left before." }),
  milliseconds: z.int(),
  code: z.string().nullable().meta({
    description:
      "Null for the whole answer of the product; else the problem's code, or caller_left for an answer that the service didn't wait for.",
  }),
});

export const me = z.strictObject({
  accountId: z.string(),
  displayName: z.string().nullable(),
  site: z.string(),
  product: productName,
  teamDomain: z.string().nullable(),
  signOutUrl: z.url().nullable().meta({ description: "Where a person signs out of Access." }),
  links: z.array(link),
  consents: z
    .array(z.strictObject({ serviceId: z.string(), label: z.string(), grantedAt: time }))
    .meta({ description: "What I agreed to and what holds." }),
  services: z.array(actingService).meta({ description: "The services that may act for people." }),
  news: z.array(news).meta({
    description:
      "What has been linked to me, and which services have acted for me for the first time, since I was last told; newest first.",
  }),
  paused: z
    .boolean()
    .meta({ description: "Nobody can link, and no service is answered, until an admin lets it go on." }),
  linking: z.strictObject({
    available: z.boolean(),
    methods: z.array(z.enum(["popup", "accessJwt"])),
    reason: z.string().nullable(),
  }),
});

export const linkAttempt = z.strictObject({ id: z.string(), url: z.url(), expiresAt: time });

export const assertion = z.strictObject({
  assertion: z.string().meta({
    description:
      "A JWS for the service alone: its claims are iss, aud (the service's AUD tag), sub (my account id), iat, exp, jti, tenant, site, product, and access (iss, sub, email) where I proved that I hold an Access identity.",
  }),
  expiresAt: time,
});

export const publicKeys = z.strictObject({
  keys: z.array(
    z.strictObject({
      kty: z.literal("EC"),
      crv: z.literal("P-256"),
      x: z.string(),
      y: z.string(),
      kid: z.string(),
      alg: z.literal("ES256"),
      use: z.literal("sig"),
    }),
  ),
});

export const signingKey = z.strictObject({ kid: z.string(), createdAt: time });

export const identity = z.strictObject({
  site: z.string(),
  product: productName,
  tenant: z.string(),
  accountId: z.string(),
  email: z.string(),
  method,
  linkedAt: time,
});

export const auditItem = z.strictObject({
  id: z.string(),
  at: time,
  action: z.string(),
  actor: z.strictObject({
    type: z.enum(["user", "service", "host", "system"]),
    accountId: z.string().nullable(),
  }),
  target: z.strictObject({ type: z.string(), id: z.string() }).nullable(),
  before: json,
  after: json,
  ip: z.string().nullable(),
  reference: z.string().nullable(),
});

export const popupCodes = z.strictObject({
  attempt: z.string(),
  code: z.string().nullable(),
  typedCode: z.string().nullable(),
  email: z.string(),
  site: z.string(),
  expiresAt: time,
});

export const problem = z.strictObject({
  type: z.url(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
  reference: z.string(),
  linkUrl: z.url().optional(),
  consentUrl: z.url().optional(),
  errors: z.array(z.strictObject({ field: z.string(), pointer: z.string(), detail: z.string() })).optional(),
});

export function pageOf<T extends z.ZodType>(item: T) {
  return z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() });
}
