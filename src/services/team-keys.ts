/** What fetching a team's keys gave. Shown to admins, so every text is safe and plain. */
export interface TeamCheck {
  readonly ok: boolean;
  readonly teamDomain: string | null;
  readonly keyCount: number;
  readonly kids: readonly string[];
  readonly milliseconds: number;
  readonly problem: { readonly code: string; readonly detail: string } | null;
}

/** The teams' public keys, as services need them: looked at afresh, or fetched ahead of the first token. */
export interface TeamKeys {
  /** Fetches now, whatever is cached. Never throws. */
  check(teamDomain: string): Promise<TeamCheck>;
  /** Fetches in the background if nothing is cached yet. Never throws. */
  warm(teamDomain: string): void;
  /** Forgets a team that no tenant names any more. */
  forget(teamDomain: string): void;
}
