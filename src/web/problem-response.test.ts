import { describe, expect, it } from "vitest";

import {
  AppError,
  NotLinkedError,
  PROBLEMS,
  RateLimitedError,
  ValidationError,
  type ProblemCode,
} from "../errors.js";
import { problemHeaders, toProblem } from "./problem-response.js";
import { toAppError } from "./to-app-error.js";

const context = { baseUrl: "https://app.example.com/base", reference: "REF" };

describe("a problem", () => {
  it("has the members of the contract and no others", () => {
    expect(toProblem(new AppError("paused", "Paused."), context)).toEqual({
      type: "https://app.example.com/base/problems#paused",
      title: PROBLEMS.paused.title,
      status: 403,
      detail: "Paused.",
      code: "paused",
      reference: "REF",
    });
  });

  it("names the fields that aren't valid, as people write them and as JSON pointers", () => {
    const error = new ValidationError([
      { field: "services[0].audience", detail: "One." },
      { field: "limit", detail: "Two." },
      { field: "a/b.c~d.é[10][2]", detail: "Three." },
      { field: "", detail: "Four." },
    ]);

    expect(toProblem(error, context).errors).toEqual([
      { field: "services[0].audience", pointer: "#/services/0/audience", detail: "One." },
      { field: "limit", pointer: "#/limit", detail: "Two." },
      { field: "a/b.c~d.é[10][2]", pointer: "#/a~1b/c~0d/%C3%A9/10/2", detail: "Three." },
      { field: "", pointer: "#", detail: "Four." },
    ]);
  });

  it("says where to link", () => {
    expect(toProblem(new NotLinkedError("https://acme.atlassian.net/x"), context)).toMatchObject({
      code: "not_linked",
      linkUrl: "https://acme.atlassian.net/x",
    });
  });

  it("reveals nothing about a fault of the app", () => {
    const problem = toProblem(new Error("password=hunter2"), context);

    expect(problem).toMatchObject({ status: 500, code: "internal_error" });
    expect(JSON.stringify(problem)).not.toContain("hunter2");
  });
});

describe("an error of a library", () => {
  const httpError = (status: number, expose = true): Error =>
    Object.assign(new Error("quotes what was sent"), { status, expose });

  it.each<[string, unknown, ProblemCode]>([
    ["a path that can't be decoded", new URIError("URI malformed"), "malformed_request"],
    ["a missing file", httpError(404), "not_found"],
    ["a large body", httpError(413), "too_large"],
    ["a charset", httpError(415), "unsupported_media_type"],
    ["a body that can't be parsed", httpError(400), "malformed_request"],
    ["any other mistake of the client", httpError(416), "malformed_request"],
    ["an error that isn't for the client", httpError(404, false), "internal_error"],
    ["a server error", httpError(503), "internal_error"],
    ["a plain object", { code: 401, message: "no" }, "internal_error"],
    ["nothing", undefined, "internal_error"],
  ])("becomes a problem: %s", (_name, error, code) => {
    expect(toAppError(error).code).toBe(code);
  });

  it("leaves nothing of what it quotes in a client's mistake", () => {
    expect(toAppError(httpError(400)).cause).toBeUndefined();
  });
});

describe("the headers of a problem", () => {
  it.each<[AppError, Record<string, string>]>([
    [new AppError("connect_jwt_missing"), { "WWW-Authenticate": "JWT" }],
    [new AppError("connect_jwt_expired"), { "WWW-Authenticate": "JWT" }],
    [new AppError("access_jwt_untrusted"), { "WWW-Authenticate": "Bearer" }],
    [new AppError("metrics_token_invalid"), { "WWW-Authenticate": "Bearer" }],
    [new RateLimitedError(7), { "Retry-After": "7" }],
    [
      new AppError("keys_unavailable", undefined, { extras: { retryAfterSeconds: 30 } }),
      { "Retry-After": "30" },
    ],
    [
      new AppError("method_not_allowed", undefined, { extras: { allow: ["GET", "PUT"] } }),
      { Allow: "GET, PUT" },
    ],
    [new AppError("not_admin"), {}],
  ])("fit its status: %s", (error, headers) => {
    expect(problemHeaders(error)).toEqual(headers);
  });
});
