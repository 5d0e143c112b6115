import type { AccessHolder } from "../links/verified-access-jwt.js";
import type { AccessClaims } from "./access-jwt.js";

const MAX_SUBJECT_LENGTH = 255;
// RFC 5321 §4.5.3.1: 64 for the local part, 255 for the domain, and the @.
const MAX_EMAIL_LENGTH = 320;

// Controls, invisible and direction-changing characters, unpaired surrogates, line and paragraph separators: they
// make a name look like another one, and databases disagree about them.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** Who the token was made for. A name that can't be shown or kept exactly as it is belongs to nobody. */
export function findHolder(claims: AccessClaims): AccessHolder {
  const { sub: subject = "", email = "", common_name: commonName = "" } = claims;
  if (commonName !== "") return { kind: "service_token", commonName };
  if (!isPlainName(subject, MAX_SUBJECT_LENGTH) || !isPlainName(email, MAX_EMAIL_LENGTH))
    return { kind: "nobody" };
  return { kind: "person", subject, email };
}

function isPlainName(value: string, maxLength: number): boolean {
  return value !== "" && value.length <= maxLength && !UNPRINTABLE.test(value);
}
