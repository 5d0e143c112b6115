import { describe, expect, it } from "vitest";

import { describeEvent } from "./audit-sentence.js";
import type { AuditEvent } from "../types.js";

const GRACE = "712020:grace";
const GRACE_EMAIL = "grace@acme.example";
const ADA = "712020:ada";
const LINK = { accountId: GRACE, email: GRACE_EMAIL };
const BEFORE = { teamDomain: null, services: [], allowedEmailDomains: [], matching: "proof", paused: false };

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
      return "email" in part ? `<${part.email}>` : `<${part.accountId}>`;
    })
    .join("");
}

describe("describeEvent", () => {
  it.each<[string, Partial<AuditEvent>]>([
    [
      `<${ADA}> changed the team domain and the trusted services.`,
      { before: BEFORE, after: { ...BEFORE, teamDomain: "acme.cloudflareaccess.com", services: [{}] } },
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
      "Atlassian installed the app again.",
      { action: "tenant.installed", actor: { type: "host", accountId: null }, before: {} },
    ],
  ])("says: %s", (expected, event) => {
    expect(sentence(event)).toBe(expected);
  });
});
