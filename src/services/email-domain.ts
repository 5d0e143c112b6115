import { domainToASCII } from "node:url";
import { parse } from "tldts";

const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;

/**
 * `acme.com`, or `*.acme.com` for its subdomains without itself, as stored; null when it is neither, or so wide that it
 * covers domains of strangers (`*.com`, `com`, `*.co.uk`: public suffixes).
 */
export function parseEmailDomainPattern(text: string): string | null {
  // What separates the parts of a URL would end the host: `partner.com/acme.com` would be stored as partner.com.
  const match = /^@?(?<wildcard>\*\.)?(?<domain>[^\s@*/\\?#%:]+)$/u.exec(text.trim());
  const domain = domainToASCII(match?.groups?.["domain"] ?? "");
  if (domain.length > 253 || !domain.split(".").every((label) => LABEL.test(label))) return null;
  // validateHostname is off because `parse` would otherwise refuse underscores only; the labels are checked above.
  if (parse(domain, { allowPrivateDomains: true, validateHostname: false }).domain === null) return null;
  return `${match?.groups?.["wildcard"] ?? ""}${domain}`;
}

/** Whether an e-mail address lies in one of the domains; no domains mean no restriction. */
export function isEmailAllowed(email: string, patterns: readonly string[]): boolean {
  if (patterns.length === 0) return true;
  const at = email.lastIndexOf("@");
  if (at < 1) return false;
  const domain = lowerCaseAscii(email.slice(at + 1));
  return patterns.some((pattern) =>
    pattern.startsWith("*.")
      ? domain.endsWith(pattern.slice(1)) && domain.length > pattern.length - 1
      : domain === pattern,
  );
}

/**
 * Lower case for ASCII only (security rule 11): full Unicode folding makes different addresses equal (the Kelvin sign
 * becomes k, and dotless i an i in some languages).
 */
export function lowerCaseAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
