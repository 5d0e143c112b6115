import { describe, expect, it } from "vitest";

import { AppError, PROBLEMS, RateLimitedError, type ProblemCode } from "../errors.js";
import { advise } from "./popup-advice.js";
import { toProblem } from "./problem-response.js";

const PATH = "app.example.com/access/*";
const CODES = Object.keys(PROBLEMS) as ProblemCode[];

function adviseAbout(error: AppError) {
  return advise(toProblem(error, { baseUrl: "https://app.example.com", reference: "reference" }), PATH);
}

describe("the linking window's advice", () => {
  it.each(CODES)("says for %s what happened and what to do next", (code) => {
    const { title, what, next } = adviseAbout(new AppError(code));
    for (const text of [title, what, next]) expect(text).not.toBe("");
    for (const sentence of [what, next]) expect(sentence).toMatch(/\.$/);
  });

  it.each(CODES)("doesn't claim for %s that nothing was changed unless that is sure", (code) => {
    expect(adviseAbout(new AppError(code)).nothingChanged).toBe(
      code !== "internal_error" && code !== "attempt_expired",
    );
  });

  it("gives one answer for everything that makes a token untrusted", () => {
    expect(
      adviseAbout(new AppError("access_jwt_untrusted", undefined, { reason: "The signature is wrong." })),
    ).toEqual(
      adviseAbout(new AppError("access_jwt_untrusted", undefined, { reason: "No tenant names the team." })),
    );
  });

  it("names the path that has to be behind Access", () => {
    expect(adviseAbout(new AppError("access_jwt_missing")).next).toContain(PATH);
  });

  it("says how long to wait", () => {
    expect(adviseAbout(new RateLimitedError(30)).next).toContain("30 seconds");
  });
});
