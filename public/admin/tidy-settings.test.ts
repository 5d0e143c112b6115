import { describe, expect, it } from "vitest";

import { tidySettings } from "./tidy-settings.js";
import { parseAudience } from "../../src/services/audience.js";
import { parseEmailDomainPattern } from "../../src/services/email-domain.js";
import { FRESH_SETTINGS } from "../../src/services/settings.js";
import { parseTeamDomain } from "../../src/team-domain.js";

describe("tidySettings", () => {
  it.each([
    "acme.cloudflareaccess.com",
    " https://ACME.cloudflareaccess.com/ ",
    "HTTPS://acme.cloudflareaccess.com:443",
    "acme.cloudflareaccess.com:443/cdn-cgi/access/certs?a=b#c",
    "acme.cloudflareaccess.com/two\nlines",
  ])("takes the team domain %j for what the app stores", (teamDomain) => {
    const stored = parseTeamDomain(teamDomain);
    expect(stored).not.toBeNull();
    expect(tidySettings({ ...FRESH_SETTINGS, teamDomain }).teamDomain).toBe(stored);
  });

  it.each(["a".repeat(64), ` ${"A".repeat(64)}\n`])("takes the AUD tag %j for what is stored", (audience) => {
    const service = { label: "One", audience, purposes: ["link"], limits: null, paused: false } as const;
    const [tidy] = tidySettings({ ...FRESH_SETTINGS, services: [service] }).services;
    expect(tidy?.audience).toBe(parseAudience(audience));
  });

  it.each(["acme.com", " @Acme.com", "*.ACME.com"])(
    "takes the e-mail domain %j for what is stored",
    (domain) => {
      const { allowedEmailDomains } = tidySettings({ ...FRESH_SETTINGS, allowedEmailDomains: [domain] });
      expect(allowedEmailDomains).toEqual([parseEmailDomainPattern(domain)]);
    },
  );
});
