import { readFileSync } from "node:fs";
import path from "node:path";

interface Elsewhere {
  /** Such as `GET /api/v1/me`. */
  readonly calls: RegExp;
  readonly codes: readonly string[];
  readonly file: string;
}

/** Refusals that one story can't meet with each call, and where each of them is met. */
const ELSEWHERE: readonly Elsewhere[] = [
  {
    calls: /^/,
    codes: ["headers_too_large", "rate_limited", "store_unavailable", "internal_error"],
    file: "refusals.test.ts",
  },
  { calls: /^P/, codes: ["request_timeout"], file: "process-slow-senders.test.ts" },
  {
    calls: /\{path\}$/,
    codes: ["request_timeout"],
    file: "../sandbox/scenes-of-requests.ts",
  },
  { calls: / \/api\/v1\//, codes: ["upstream_timeout"], file: "refusals.test.ts" },
  {
    calls: / \/api\/v1\/(?!sites)/,
    codes: ["ambiguous_credentials"],
    file: "tokens/connect-kinds.fixture.ts",
  },
  {
    calls: / \/api\/v1\/(?!sites)/,
    codes: ["forge_jwt_invalid", "forge_jwt_expired"],
    file: "tokens/forge-kinds.fixture.ts",
  },
  { calls: / \/api\/v1\/(?!sites)/, codes: ["keys_unavailable"], file: "forge-answers.test.ts" },
  { calls: /^GET .*\/(?:links|audit)$/, codes: ["malformed_request"], file: "link-administration.test.ts" },
  { calls: /\/me\/activity$/, codes: ["malformed_request"], file: "members-sight.test.ts" },
  { calls: /\/me\/links/, codes: ["not_found", "paused"], file: "members-sight.test.ts" },
  { calls: /\/me\/news/, codes: ["paused"], file: "members-sight.test.ts" },
  { calls: /\/me\/consents\//, codes: ["not_found", "paused"], file: "consents.test.ts" },
  {
    calls: /\/me\/assertions$/,
    codes: ["paused", "purpose_not_allowed", "email_domain_not_allowed", "proof_required"],
    file: "assertions.test.ts",
  },
  {
    calls: /\/me\/links$|\/access\/link\//,
    codes: [
      "access_jwt_missing",
      "access_jwt_expired",
      "access_jwt_untrusted",
      "service_token",
      "email_domain_not_allowed",
      "purpose_not_allowed",
    ],
    file: "linking-attacks-identities.test.ts",
  },
  {
    calls: /\/me\/links$/,
    codes: ["access_jwt_malformed", "attempt_expired"],
    file: "linking-attacks-attempts.test.ts",
  },
  { calls: /\/access\/link\//, codes: ["paused"], file: "linking.test.ts" },
  { calls: /\/access\/link\//, codes: ["ambiguous_credentials"], file: "refusals.test.ts" },
  { calls: /\/access\/link\//, codes: ["keys_unavailable"], file: "outages-team-keys.test.ts" },
  {
    calls: /\/sites\//,
    codes: ["ambiguous_credentials", "access_jwt_untrusted", "keys_unavailable"],
    file: "service-api-refusals.test.ts",
  },
  { calls: /\/sites\//, codes: ["malformed_request"], file: "service-api.test.ts" },
  {
    calls: /\{path\}$/,
    codes: [
      "access_jwt_expired",
      "service_token",
      "email_domain_not_allowed",
      "paused",
      "purpose_not_allowed",
      "not_linked",
      "request_not_allowed",
      "token_too_old",
      "ip_not_allowed",
      "proof_required",
      "consent_required",
      "account_inactive",
      "scope_not_granted",
      "upstream_failed",
      "installation_expired",
    ],
    file: "gateway.test.ts",
  },
  { calls: /\{path\}$/, codes: ["service_key_required"], file: "service-keys.test.ts" },
];

export function isTriedElsewhere(call: string, code: string): boolean {
  return ELSEWHERE.some(({ calls, codes }) => calls.test(call) && codes.includes(code));
}

/** What is said to be tried in a file that doesn't even name it. */
export function listUntried(): string[] {
  return ELSEWHERE.flatMap(({ codes, file }) => {
    const text = readFileSync(path.join(import.meta.dirname, file), "utf8");
    return codes.filter((code) => !text.includes(code)).map((code) => `${code} in ${file}`);
  });
}
