const TEAM_DOMAIN = /^(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.fed)?\.cloudflareaccess\.com$/;

/**
 * A team domain as people paste it (`https://Acme.cloudflareaccess.com:443/cdn-cgi/…`, or the team's name alone
 * with its domain in any case), in the one form that is stored: `acme.cloudflareaccess.com`. Null when it is anything else.
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
  return `https://${teamDomain}`;
}
