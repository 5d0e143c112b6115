// One DNS label (RFC 1035 §2.3.1), then Cloudflare's own zone; `fed.` is the FedRAMP zone, and no team itself.
const TEAM_DOMAIN =
  /^(?!fed\.cloudflareaccess)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.(?:fed\.)?cloudflareaccess\.com$/;

const SCHEME = "https://";

/**
 * A team domain as people paste it (`https://Acme.cloudflareaccess.com:443/cdn-cgi/…`), in the one form that is stored:
 * `acme.cloudflareaccess.com`. Null when it is anything else.
 * Only the authority counts, so that nothing behind `/`, `?` or `#` and nothing before `@` can pose as a team.
 */
export function parseTeamDomain(text: string): string | null {
  const match = /^(?:https:\/\/)?(?<authority>[^/?#]+)(?:[/?#].*)?$/isu.exec(text.trim());
  const authority = match?.groups?.["authority"] ?? "";
  // What URL parsers disagree about in an authority is refused; behind it, anything may have been pasted.
  if (text.length > 4096 || !/^[a-z0-9.-]+(?::443)?$/i.test(authority)) return null;
  const host = authority.toLowerCase().replace(/:443$/, "");
  return TEAM_DOMAIN.test(host) ? host : null;
}

/** The `iss` of the team's Access JWTs: exactly this, without a trailing slash. */
export function issuerOfTeam(teamDomain: string): string {
  return SCHEME + teamDomain;
}

/** The team that an `iss` names, or null for anything but exactly what `issuerOfTeam` gives. */
export function findTeamDomain(issuer: string): string | null {
  if (!issuer.startsWith(SCHEME)) return null;
  const domain = issuer.slice(SCHEME.length);
  return TEAM_DOMAIN.test(domain) ? domain : null;
}

/** Where a team is reached: at its own address, or in development at what stands in for it. */
export function originOfTeam(teamDomain: string, overrides: ReadonlyMap<string, string>): string {
  return overrides.get(teamDomain) ?? SCHEME + teamDomain;
}

/** Where a person signs out of Access everywhere (Cloudflare's documented path). */
export function signOutUrlOfTeam(teamDomain: string, overrides: ReadonlyMap<string, string>): string {
  return `${originOfTeam(teamDomain, overrides)}/cdn-cgi/access/logout`;
}
