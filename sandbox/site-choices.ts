import type { Answer, Incoming } from "./http-server.js";
import { GRACE, nickname, type Person } from "./people.js";

export const THEMES = ["light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

/** Who looks at the site, and how. Kept in a cookie; a query chooses anew. */
export interface Choices {
  readonly person: Person;
  readonly theme: Theme;
}

const COOKIE = "sandbox-choices";

/** Grace and light unless something else is chosen. `people` are those who can sign in. */
export function readChoices({ url, headers }: Incoming, people: readonly Person[]): Choices {
  const kept = readCookie(headers.cookie);
  const find = <T>(name: string, among: readonly T[], nameOf: (item: T) => string): T | undefined => {
    const named = [url.searchParams.get(name), kept.get(name)];
    return named.flatMap((value) => among.find((item) => nameOf(item) === value) ?? [])[0];
  };
  return {
    person: find("as", people, nickname) ?? people.find((person) => isSame(person, GRACE)) ?? GRACE,
    theme: find("theme", THEMES, String) ?? "light",
  };
}

/** Only where something was chosen: a page that was merely looked at leaves the choices of other windows alone. */
export function withChoices(answer: Answer, { url }: Incoming, { person, theme }: Choices): Answer {
  if (!url.searchParams.has("as") && !url.searchParams.has("theme")) return answer;
  const value = new URLSearchParams({ as: nickname(person), theme }).toString();
  const cookie = `${COOKIE}=${value}; Path=/; HttpOnly; SameSite=Lax`;
  return { ...answer, headers: { ...answer.headers, "set-cookie": cookie } };
}

function readCookie(header = ""): URLSearchParams {
  const pair = header.split(/; */).find((each) => each.startsWith(`${COOKIE}=`));
  return new URLSearchParams(pair?.slice(COOKIE.length + 1));
}

function isSame(one: Person, other: Person): boolean {
  return one.accountId === other.accountId;
}
