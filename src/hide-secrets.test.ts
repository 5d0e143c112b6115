import { randomBytes, randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";

import { mintHs256 } from "./connect/connect-jwt.fixture.js";
import { hideSecrets, hideSecretsWithin } from "./hide-secrets.js";
import { createReference } from "./identifiers.js";

const JWT = mintHs256({ iss: "acme", sub: "grace" }, "x".repeat(32));
const [HEADER = "", CLAIMS = ""] = JWT.split(".");
// Made up once: a random one lacks a digit now and then, and then can't be told from a long name.
const SECRET = "q8Zr2mYwq0NhXsKAcJ5VtTf8Zr2mYwq0NhXsKA";

it.each([
  ["a JWT", `got ${JWT} from Jira`, "got [token] from Jira"],
  ["the beginning of a JWT", `Unexpected token in "${JWT.slice(0, 30)}..."`, `Unexpected token in "[token]"`],
  ["a JWT without its signature", `${HEADER}.${CLAIMS}`, "[token]"],
  ["the claims alone", `payload ${CLAIMS}`, "payload [token]"],
  ["a JWT in a URL", `Invalid URI /admin?jwt=${JWT}&x=1`, "Invalid URI /admin?jwt=[token]&x=1"],
  ["an Authorization header", "authorization: Bearer b3BlbiBzZXNhbWU9", "authorization: Bearer [hidden]"],
  ["a password of Basic", "Basic dXNlcjpwYXNzd29yZA==", "Basic [hidden]"],
  ["an e-mail address", "no user grace.green+1@acme.example!", "no user [e-mail]!"],
  ["one in a URL", "/user?email=grace%40acme.example", "/user?email=[e-mail]"],
  ["a password in a URL", "postgres://app:hunter2@db.acme.example/app", "postgres://app:[e-mail]/app"],
  ["an encryption key", `key ${Buffer.alloc(32, 0xf7).toString("base64")} is`, "key [hidden] is"],
  ["a shared secret", `UPDATE tenants SET secret = '${SECRET}'`, "UPDATE tenants SET secret = '[hidden]'"],
  ["a cookie", `__Host-link-0123456789abcdef=${SECRET}; Path=/`, "[hidden]=[hidden]; Path=/"],
  ["a service's key", `x-service-key: sk_${"abcDEF-_".repeat(5)}xyz`, "x-service-key: [hidden]"],
  ["several in several lines", `a ${JWT}\nb ${SECRET}\n`, "a [token]\nb [hidden]\n"],
])("hides %s", (_what, text, shown) => {
  expect(hideSecrets(text)).toBe(shown);
});

it.each([
  "The Connect JWT has expired. Get a fresh token from AP.context.getToken(), or reload the page.",
  "Error: planted\n    at Object.createEncryptionKeyFileReader (file:///srv/app/dist/config/encryption-key-file.js:12:9)",
  "    at Module._compile (node:internal/modules/cjs/loader:1554:14)",
  "    at async file:///srv/app/node_modules/@scope/package-with-a-long-name/dist/index.js:3:7",
  "SQLITE_CONSTRAINT: UNIQUE constraint failed: links.tenant_id, links.issuer, links.subject",
  "https://acme.cloudflareaccess.com/cdn-cgi/access/certs",
  "712020:2f4352d5-1316-4157-83e5-704614e199ab",
  "2026-11-22T17:56:19.743Z",
  "f".repeat(64),
  randomBytes(32).toString("hex"),
  randomUUID(),
  createReference(),
])("leaves readable: %s", (text) => {
  expect(hideSecrets(text)).toBe(text);
});

describe("hideSecretsWithin", () => {
  it("looks into lists and objects, and leaves numbers, times and nothing as they are", () => {
    const at = new Date(0);
    expect(
      hideSecretsWithin({ kids: ["a", "ann@acme.com"], of: { ann: "ann@acme.com" }, n: 1, at, no: null }),
    ).toEqual({
      kids: ["a", "[e-mail]"],
      of: { ann: "[e-mail]" },
      n: 1,
      at,
      no: null,
    });
  });

  it("ends where things are nested without end", () => {
    const endless: { self?: unknown } = {};
    endless.self = endless;
    expect(JSON.stringify(hideSecretsWithin(endless))).toBe('{"self":{"self":{"self":{"self":"…"}}}}');
  });
});
