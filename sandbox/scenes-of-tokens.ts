import { createHash } from "node:crypto";

import { audienceOf } from "./access-team.js";
import { epochSeconds, type Claims } from "./jwt.js";
import { createPerson, NIGHTLY_BUILD } from "./people.js";
import type { SceneGroup } from "./scene.js";
import { UNREACHABLE_TEAM } from "./world-parts.js";

export function issuedSecondsAgo(seconds: number): Claims {
  const at = epochSeconds() - seconds;
  return { iat: at, nbf: at };
}

export const TOKEN_SCENES: SceneGroup = {
  title: "The token",
  scenes: [
    {
      id: "two-tokens",
      title: "Two different tokens",
      about:
        "The service sends one token in each of two headers. The app doesn't choose for it. Sent inside the network: Cloudflare would take one of the headers away.",
      ending: { code: "ambiguous_credentials" },
      play: async (run) => {
        const path = `/api/v1/sites/${run.site.host}/jira/rest/api/3/myself`;
        const headers = { "cf-access-jwt-assertion": await run.sign({ audience: audienceOf("Another") }) };
        return run.send(path, { headers }, run.scene.world.parts.app.url);
      },
    },
    {
      id: "no-token",
      title: "No token",
      about: "The service calls without saying for whom.",
      ending: { code: "access_jwt_missing" },
      play: async (run) => run.call({ token: null }),
    },
    {
      id: "no-jwt",
      title: "Something that isn't a token",
      about: "The service sends a word where the token should be.",
      ending: { code: "access_jwt_malformed" },
      play: async (run) => run.call({ token: "swordfish" }),
    },
    {
      id: "keys-unavailable",
      title: "The team can't be asked for its keys",
      about:
        "The site trusts a team whose server doesn't answer, and its keys aren't known yet. That is no fault of the token's, and the app says so.",
      ending: { code: "keys_unavailable" },
      play: async (run) => {
        await run.changeSettings(() => ({ teamDomain: UNREACHABLE_TEAM.domain }));
        return run.call({ claims: { iss: `https://${UNREACHABLE_TEAM.domain}` } });
      },
    },
    {
      id: "another-audience",
      title: "A token for another application",
      about: "The token is good, but was made for an Access application that isn't in the settings.",
      ending: { code: "access_jwt_untrusted" },
      play: async (run) => run.call({ audience: audienceOf("Nobody's application") }),
    },
    {
      id: "forged-token",
      title: "A forged token",
      about: "Somebody has changed a good token: the signature no longer fits.",
      ending: { code: "access_jwt_untrusted" },
      play: async (run) => {
        await run.trust();
        const [header, , signature] = (await run.sign()).split(".");
        const [, claims] = (await run.sign({ claims: { email: "boss@acme.example" } })).split(".");
        return run.call({ token: [header, claims, signature].join(".") });
      },
    },
    {
      id: "unknown-site",
      title: "A site that isn't there",
      about:
        "The token is good, the site is made up. The answer is the same as for a token that isn't: nobody can find out which sites use the app.",
      ending: { code: "access_jwt_untrusted" },
      play: async (run) => {
        await run.trust();
        return run.send("/api/v1/sites/nowhere.atlassian.net/jira/rest/api/3/myself", {});
      },
    },
    {
      id: "expired-token",
      title: "A token that has expired",
      about: "The person signed in to Access yesterday.",
      ending: { code: "access_jwt_expired" },
      play: async (run) => {
        await run.trust();
        return run.call({ claims: { ...issuedSecondsAgo(90_000), exp: epochSeconds() - 3600 } });
      },
    },
    {
      id: "service-token",
      title: "A machine's token",
      about: "The nightly build gets through Access with a service token. It is nobody in Jira.",
      ending: { code: "service_token" },
      play: async (run) => {
        await run.trust();
        return run.call({ holder: NIGHTLY_BUILD });
      },
    },
    {
      id: "foreign-email",
      title: "A partner's address",
      about: "The admin allows addresses of acme.example only; this person's is of partner.example.",
      ending: { code: "email_domain_not_allowed" },
      play: async (run) => {
        await run.trust();
        const holder = createPerson("Paula Partner", { email: "paula@partner.example" });
        return run.call({ holder });
      },
    },
    {
      id: "headers-too-large",
      title: "Headers that are too large",
      about: "The service sends 20 KiB of headers, inside the network.",
      ending: { code: "headers_too_large" },
      play: async (run) => {
        const path = `/api/v1/sites/${run.site.host}/jira/rest/api/3/myself`;
        const headers = { "x-padding": createHash("sha256").update("").digest("hex").repeat(320) };
        return run.send(path, { headers, token: null }, run.scene.world.parts.app.url);
      },
    },
  ],
};
