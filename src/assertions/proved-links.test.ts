import { describe, expect, it } from "vitest";

import type { ProblemCode } from "../errors.js";
import type { IdentityLink } from "../links/identity-link.js";
import { buildLink, buildSettings, buildTenant } from "../storage/builders.fixture.js";
import { minutesAfter, NOW } from "../storage/test-database.fixture.js";
import type { Settings } from "../services/settings.js";
import { findProvedIdentity, requireProvedLinks } from "./proved-links.js";

const linkUrlOf = (linkId: string | null) => `https://acme.atlassian.net/account?${linkId ?? ""}`;
const IDLE = minutesAfter(-90 * 24 * 60);
const TENANT = buildTenant();
const link = (overrides: Partial<IdentityLink> = {}) => buildLink(TENANT, overrides);

describe("the links that count for an assertion", () => {
  it.each<[what: string, links: readonly IdentityLink[], code: ProblemCode, settings?: Partial<Settings>]>([
    ["none", [], "not_linked"],
    ["one to another team", [link({ issuer: "https://globex.cloudflareaccess.com" })], "not_linked"],
    ["one to the team that was there before", [link()], "not_linked", { teamDomain: null }],
    ["one that an e-mail made", [link({ method: "email", confirmedAt: NOW })], "not_linked"],
    [
      "one whose domain isn't allowed",
      [link()],
      "email_domain_not_allowed",
      { allowedEmailDomains: ["acme.org"] },
    ],
    ["one that nobody has confirmed", [link({ method: "admin" })], "proof_required"],
    ["one that e-mails still make", [link({ method: "email" })], "proof_required", { matching: "email" }],
    ["one that was idle for long", [link({ linkedAt: IDLE })], "proof_required"],
    [
      "one that was confirmed long ago",
      [link({ method: "admin", linkedAt: IDLE, confirmedAt: IDLE })],
      "proof_required",
    ],
  ])("aren't %s: %s", (_what, links, code, settings) => {
    expect(() => requireProvedLinks(links, buildSettings(settings), NOW, linkUrlOf)).toThrow(
      expect.objectContaining({ code }) as Error,
    );
  });

  it("are those that are proved or confirmed, whatever else there is", () => {
    const good = [
      link(),
      link({ method: "admin", confirmedAt: NOW }),
      link({ linkedAt: IDLE, lastUsedAt: NOW }),
    ];
    const others = [link({ method: "admin" }), link({ issuer: "https://globex.cloudflareaccess.com" })];
    expect(requireProvedLinks([...others, ...good], buildSettings(), NOW, linkUrlOf)).toEqual(good);
  });
});

describe("the Access identity of an account", () => {
  it("is none that was only confirmed", () => {
    expect(findProvedIdentity([link({ method: "admin", confirmedAt: NOW })])).toBeNull();
  });

  it("is the proved one that was used, or else proved, last", () => {
    const [early, late] = [link({ linkedAt: IDLE }), link({ linkedAt: minutesAfter(-5) })];
    const used = { ...early, lastUsedAt: NOW };
    const confirmed = link({ method: "admin", lastUsedAt: minutesAfter(5) });
    const present = ({ issuer, subject, email }: IdentityLink) => ({ iss: issuer, sub: subject, email });
    expect(findProvedIdentity([early, late, confirmed])).toEqual(present(late));
    expect(findProvedIdentity([used, late, confirmed])).toEqual(present(used));
  });
});
