import type { RequestPattern } from "../services/settings.js";

/**
 * The first of a service's patterns that a request fits, for the audit log; null when none does. Compared as written,
 * segment by segment: the path that is matched is the path that is sent (security rule 15).
 */
export function findMatchingPattern(
  patterns: readonly RequestPattern[],
  method: string,
  path: string,
): RequestPattern | null {
  const segments = path.split("/");
  return (
    patterns.find(({ methods, path: pattern }) => methods.includes(method) && fits(pattern, segments)) ?? null
  );
}

/** `*` is one whole segment, `**` at the end one or more. An empty segment, as after a slash at the end, is none. */
function fits(pattern: string, segments: readonly string[]): boolean {
  const wanted = pattern.split("/");
  const isOpen = wanted.at(-1) === "**";
  if (isOpen ? segments.length < wanted.length : segments.length !== wanted.length) return false;
  return segments.every((segment, index) => {
    // Before the first slash there is nothing on either side.
    if (index === 0) return segment === "" && wanted[0] === "";
    const want = wanted[index] ?? "**";
    return want === "*" || want === "**" ? segment !== "" : segment === want;
  });
}
