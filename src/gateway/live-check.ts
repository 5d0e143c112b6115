import type { VerifiedAccessJwt } from "../links/verified-access-jwt.js";

/** Whether the session that an Access JWT was made in still lasts, which its signature can't tell (security rule 13). */
export interface LiveCheck {
  /**
   * Takes Access' word from up to `maxAgeSeconds` ago; answers whether it had to ask now. Throws AppError
   * `access_jwt_expired` when the session has ended, and `upstream_failed` or `upstream_timeout` when Access doesn't say.
   */
  requireLive(token: VerifiedAccessJwt, accessJwt: string, maxAgeSeconds: number): Promise<boolean>;
}
