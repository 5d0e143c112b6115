import { CompactJwsError, parseCompactJws } from "../compact-jws.js";

const UNTOLD_SECONDS = 2 * 3600;
const MAX_SECONDS = 4 * 3600;

/**
 * When a token that Forge sends beside a call ends. It is opaque, says Atlassian, and tells its end in `exp`, says
 * Atlassian: so what it tells is believed where it can be read, and never for longer than such tokens last.
 */
export function findTokenExpiry(token: string, now: Date): Date {
  const told = readExp(token);
  const latest = now.getTime() + MAX_SECONDS * 1000;
  return new Date(told === null ? now.getTime() + UNTOLD_SECONDS * 1000 : Math.min(told * 1000, latest));
}

function readExp(token: string): number | null {
  try {
    const { exp } = parseCompactJws(token).payload;
    return typeof exp === "number" && exp >= 0 ? exp : null;
  } catch (error) {
    if (error instanceof CompactJwsError) return null;
    throw error;
  }
}
