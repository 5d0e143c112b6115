import { AppError } from "../errors.js";

/** One answer for everything that can be wrong with a Connect JWT; the reason is for the log. */
export class ConnectJwtInvalidError extends AppError {
  constructor(reason: string) {
    super("connect_jwt_invalid", undefined, { reason });
  }
}

/** Only for a token that would be accepted if it were younger. */
export class ConnectJwtExpiredError extends AppError {
  constructor() {
    super("connect_jwt_expired");
  }
}
