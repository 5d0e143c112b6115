import { describe, expect, it } from "vitest";

import { describeEvent } from "./audit-sentence.js";
import type { AuditEvent } from "../types.js";

const GRACE = "712020:grace";
const GRACE_EMAIL = "grace@acme.example";
const ADA = "712020:ada";
const LINK = { accountId: GRACE, email: GRACE_EMAIL };
const BEFORE = { teamDomain: null, services: [], allowedEmailDomains: [], matching: "proof", paused: false };
const WIKI = {
  id: "1",
  label: "Wiki",
  audience: "1".repeat(64),
  purposes: ["act"],
  limits: null,
  paused: false,
};
const BUILDS = { ...WIKI, id: "2", label: "Builds" };
const DEED = {
  ...{ label: "Builds", method: "POST", path: "/rest/api/3/issue/*/comment", status: 201 },
  ...{ milliseconds: 35, code: null, by: "key" },
};
const ACTED: Partial<AuditEvent> = {
  action: "service.acted",
  actor: { type: "service", accountId: GRACE },
};

function services(...list: readonly object[]) {
  return JSON.parse(JSON.stringify({ ...BEFORE, services: list })) as AuditEvent["before"];
}

function sentence(traits: Partial<AuditEvent>): string {
  const event: AuditEvent = {
    id: "1",
    at: "2026-11-22T12:00:00.000Z",
    action: "settings.changed",
    actor: { type: "user", accountId: ADA },
    target: null,
    before: null,
    after: null,
    ip: null,
    reference: null,
    ...traits,
  };
  return describeEvent(event)
    .map((part) => {
      if (typeof part === "string") return part;
      if ("code" in part) return part.code;
      return "email" in part ? `<${part.email}>` : `<${part.accountId}>`;
    })
    .join("");
}

describe("describeEvent", () => {
  it.each<[string, Partial<AuditEvent>]>([
    [
      `<${ADA}> changed the team domain and added “Wiki”.`,
      { before: BEFORE, after: { ...BEFORE, teamDomain: "acme.cloudflareaccess.com", services: [WIKI] } },
    ],
    [`<${ADA}> paused the app.`, { before: BEFORE, after: { ...BEFORE, paused: true } }],
    [
      `<${ADA}> changed the allowed e-mail domains and resumed the app.`,
      { before: { ...BEFORE, paused: true }, after: { ...BEFORE, allowedEmailDomains: ["acme.example"] } },
    ],
    [`<${ADA}> saved the settings unchanged.`, { before: BEFORE, after: BEFORE }],
    [
      `<${GRACE}> linked <${GRACE_EMAIL}>.`,
      { action: "link.created", actor: { type: "user", accountId: GRACE }, after: LINK },
    ],
    [
      `<${ADA}> unlinked <${GRACE_EMAIL}> from the account of <${GRACE}>.`,
      { action: "link.removed", before: LINK },
    ],
    [
      `The holder of <${GRACE_EMAIL}> unlinked it from the account of <${GRACE}> in the linking window.`,
      { action: "link.removed", actor: { type: "user", accountId: null }, before: LINK },
    ],
    [
      `<${ADA}> linked <${GRACE_EMAIL}> again to the account of <${GRACE}>, undoing an unlink.`,
      { action: "link.restored", after: LINK },
    ],
    [
      `Linking was stopped after five wrong codes for <${GRACE}>.`,
      { action: "link_attempt.failed", target: { type: "account", id: GRACE } },
    ],
    [
      `<${ADA}> changed the name and the allowed requests of “Wiki 2” and paused “Builds”.`,
      {
        before: services(WIKI, BUILDS),
        after: services(
          { ...WIKI, label: "Wiki 2", limits: { requests: [{ methods: ["GET"], path: "/**" }] } },
          { ...BUILDS, paused: true },
        ),
      },
    ],
    [
      `<${ADA}> resumed “Wiki” and removed “Builds”.`,
      { before: services({ ...WIKI, paused: true }, BUILDS), after: services(WIKI) },
    ],
    [
      `<${ADA}> changed the order of the trusted services.`,
      { before: services(WIKI, BUILDS), after: services(BUILDS, WIKI) },
    ],
    [
      `<${ADA}> saved the settings unchanged.`,
      { before: services(WIKI), after: services({ ...WIKI, limits: { requests: [], ipAddresses: [] } }) },
    ],
    [
      `<${ADA}> agreed that “Builds” may act for them.`,
      { action: "consent.given", after: { label: "Builds" } },
    ],
    [
      `<${ADA}> no longer lets “Builds” act for them.`,
      { action: "consent.withdrawn", before: { label: "Builds" } },
    ],
    [
      "What 12 people had agreed to “Builds” ended with what it was trusted for.",
      { action: "consents.removed", before: { label: "Builds", count: 12 } },
    ],
    [
      `“Builds” acted for <${GRACE}>: POST /rest/api/3/issue/*/comment was answered with 201.`,
      { ...ACTED, after: DEED },
    ],
    [
      `Somebody with a token for “Builds” acted for <${GRACE}>: POST /rest/api/3/issue/*/comment failed. Atlassian or Access took too long.`,
      { ...ACTED, after: { ...DEED, by: "token", code: "upstream_timeout" } },
    ],
    [
      `“Builds” acted for <${GRACE}>: POST /rest/api/3/issue/*/comment was answered with 201, but the caller left before the end.`,
      { ...ACTED, after: { ...DEED, code: "caller_left" } },
    ],
    [
      `“Builds” acted for <${GRACE}>: POST /rest/api/3/issue/*/comment went without an answer: the caller had left.`,
      { ...ACTED, after: { ...DEED, status: null, code: "caller_left" } },
    ],
    [
      `<${GRACE}> confirmed the link with <${GRACE_EMAIL}>.`,
      { action: "link.confirmed", actor: { type: "user", accountId: GRACE }, after: LINK },
    ],
    [
      `<${GRACE}> was vouched for to “Builds”.`,
      { action: "assertion.issued", actor: { type: "user", accountId: GRACE }, after: { label: "Builds" } },
    ],
    [
      `<${ADA}> made a key for “Builds”, ending in x7_Q.`,
      { action: "service_key.created", after: { label: "Builds", hint: "x7_Q" } },
    ],
    [
      `<${ADA}> removed the key of “Builds” that ended in x7_Q.`,
      { action: "service_key.removed", before: { label: "Builds", hint: "x7_Q" } },
    ],
    [
      `<${ADA}> let this app take over from the Connect app: 1 service and 41 links.`,
      { action: "settings.taken_over", after: { services: 1, links: 41 } },
    ],
    [`<${ADA}> replaced the keys of assertions.`, { action: "assertion_keys.rotated" }],
    [
      "Atlassian installed the app again.",
      { action: "tenant.installed", actor: { type: "host", accountId: null }, before: {} },
    ],
  ])("says: %s", (expected, event) => {
    expect(sentence(event)).toBe(expected);
  });
});
