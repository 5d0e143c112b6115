import { ADA } from "../../sandbox/people.js";
import { expectProblem } from "../lifecycle.fixture.js";
import { expectUnauthorized } from "./weakness-world.fixture.js";
import { describeWeaknesses, type Weakness } from "./weaknesses.fixture.js";

const ISSUERS = [
  "https://evilcloudflareaccess.com",
  "https://keys.evil.example#.cloudflareaccess.com",
  "https://keys.evil.example/x.cloudflareaccess.com",
  "https://keys.evil.example?x=.cloudflareaccess.com",
  "https://acme.cloudflareaccess.com@evil.example",
  "https://acme.cloudflareaccess.com.evil.example",
  "https://acme.cloudflareaccess.com/",
  "https://ACME.cloudflareaccess.com",
  "http://acme.cloudflareaccess.com",
  "acme.cloudflareaccess.com",
  "https://.cloudflareaccess.com",
  "https://cloudflareaccess.com",
  "https://%61cme.cloudflareaccess.com",
  "https://acme%2ecloudflareaccess.com",
  "%",
  "https://",
];

const TEAM_DOMAINS: readonly Weakness[] = [
  [
    "an issuer that only looks like a team's named the server with the keys",
    "it is nobody's, and nobody is asked",
    async (here) => {
      const tokens = await Promise.all(ISSUERS.map((iss) => here.accessJwt({ iss })));
      await here.tenants.expectNoTrace(async () => {
        for (const token of tokens) expectUnauthorized(await here.identify(token));
      });
    },
  ],
  [
    "so did a domain in the settings",
    "it isn't stored",
    async (here) => {
      const admin = here.world.page(ADA);
      const settings = await admin.getSettings();
      await here.tenants.expectNothingStored(async () => {
        for (const issuer of [...ISSUERS.slice(0, 6), ...ISSUERS.slice(10), ""]) {
          const teamDomain = issuer.replace("https://", "");
          const reply = await admin.send("PUT", "/api/v1/settings", { ...settings, teamDomain });
          expectProblem(reply, "validation_failed", ["teamDomain"]);
        }
      });
    },
  ],
];

describeWeaknesses("cloudflared, before its tests had them", TEAM_DOMAINS);
