// One DNS label (RFC 1035 §2.3.1), then Cloudflare's own zone; `fed.` is the FedRAMP one.
const TEAM_DOMAIN = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.(?:fed\.)?cloudflareaccess\.com$/;

const SCHEME = "https://";

/** Whether this is a team domain in the one form in which the app keeps them: `acme.cloudflareaccess.com`. */
export function isTeamDomain(value: string): boolean {
  return TEAM_DOMAIN.test(value);
}

/** The team that an `iss` names, or null for anything but exactly `https://<team domain>`. */
export function findTeamDomain(issuer: string): string | null {
  if (!issuer.startsWith(SCHEME)) return null;
  const domain = issuer.slice(SCHEME.length);
  return isTeamDomain(domain) ? domain : null;
}
