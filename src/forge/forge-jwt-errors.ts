import { AppError } from "../errors.js";

/** One answer for everything that can be wrong with a Forge Invocation Token; the reason is for the log. */
export class ForgeJwtInvalidError extends AppError {
  constructor(reason: string) {
    super("forge_jwt_invalid", undefined, { reason });
  }
}

/** Only for a token that would be accepted if it were younger. */
export class ForgeJwtExpiredError extends AppError {
  constructor() {
    super("forge_jwt_expired");
  }
}
