/** The product's script isn't there: blocked, or not loaded. */
export class HostMissingError extends Error {}

/** The app gave no answer: the network is down, or it took too long. */
export class NoAnswerError extends Error {}

/** The app's answer would come when nobody waits for it any more. */
export class LateAnswerError extends Error {}

/** The app refused; `problem` says why, in words for people. */
export class ApiError extends Error {
  /**
   * @param {import("./types.js").Problem} problem
   * @param {number | null} retryAfterSeconds
   */
  constructor(problem, retryAfterSeconds) {
    super(problem.detail);
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
