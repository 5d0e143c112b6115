import { z } from "zod";

import { CompactJwsError, parseCompactJws } from "../compact-jws.js";
import { findTeamDomain } from "../team-domain.js";

/** What an Access JWT says of itself, with nothing of it proved: to be shown to its holder, and for nothing else. */
export interface UnverifiedSight {
  readonly teamDomain: string | null;
  readonly audiences: readonly string[];
  readonly email: string | null;
}

const MAX_AUDIENCES = 5;
/** Controls, marks of direction, halves of surrogate pairs, ends of lines: they change how the text around them reads. */
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

const claimsSchema = z.object({
  iss: z.string().transform(findTeamDomain).catch(null),
  aud: z
    .union([z.string().transform((audience) => [audience]), z.array(z.string())])
    .transform((audiences) => audiences.slice(0, MAX_AUDIENCES).map((audience) => audience.slice(0, 100)))
    .transform((audiences) => audiences.filter(isShowable))
    .catch([]),
  email: z.string().min(1).max(320).refine(isShowable).nullable().catch(null),
});

function isShowable(text: string): boolean {
  return !UNSHOWABLE.test(text);
}

/** Null when the token can't be read at all. */
export function findUnverifiedSight(token: string | undefined): UnverifiedSight | null {
  if (!token) return null;
  try {
    const { iss, aud, email } = claimsSchema.parse(parseCompactJws(token).payload);
    return { teamDomain: iss, audiences: aud, email };
  } catch (error) {
    if (error instanceof CompactJwsError) return null;
    throw error;
  }
}
