import { createHmac, sign, type KeyObject } from "node:crypto";

type Part = object | string | Buffer;

/** Signs whatever it is given, valid or not. Texts and bytes are taken as they are, objects as JSON. */
export function mintToken(header: Part, claims: Part, key: string | KeyObject): string {
  const signingInput = [header, claims].map(encodePart).join(".");
  const signature =
    typeof key === "string"
      ? createHmac("sha256", key).update(signingInput).digest()
      : sign("sha256", Buffer.from(signingInput), key);
  return `${signingInput}.${signature.toString("base64url")}`;
}

export function mintHs256(claims: Part, secret: string, header: object = {}): string {
  return mintToken({ typ: "JWT", alg: "HS256", ...header }, claims, secret);
}

export function mintRs256(claims: Part, privateKey: KeyObject, header: object = {}): string {
  return mintToken({ typ: "JWT", alg: "RS256", ...header }, claims, privateKey);
}

function encodePart(part: Part): string {
  const bytes = Buffer.isBuffer(part)
    ? part
    : Buffer.from(typeof part === "string" ? part : JSON.stringify(part));
  return bytes.toString("base64url");
}
