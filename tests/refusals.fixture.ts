import type { IncomingHttpHeaders } from "node:http";
import { expect } from "vitest";

import { PROBLEMS, type ProblemCode } from "../src/errors.js";

/** As much of an answer as every refusal is judged by. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Problem {
  readonly detail: string;
  readonly reference: string;
  readonly linkUrl?: string;
  readonly consentUrl?: string;
  readonly errors?: readonly { readonly field: string; readonly pointer: string; readonly detail: string }[];
}

const URL_TEXT = expect.stringMatching(/^https?:\/\//) as unknown;

/** Holds a refusal against the contract: no member less, none more, and the headers that belong to its status. */
export function expectProblem(answer: Answer, code: ProblemCode, baseUrl: string): Problem {
  const { status, headers } = answer;
  expect(headers["content-type"], answer.text).toBe("application/problem+json");
  const problem = JSON.parse(answer.text) as Problem;
  expect(problem).toEqual({
    type: `${baseUrl}/problems#${code}`,
    title: PROBLEMS[code].title,
    status,
    detail: expect.stringMatching(/^[A-Z].*[.]$/s) as unknown,
    code,
    reference: headers["x-request-reference"],
    ...((code === "not_linked" || code === "proof_required") && { linkUrl: URL_TEXT }),
    ...(code === "consent_required" && { consentUrl: URL_TEXT }),
    ...(code === "validation_failed" && { errors: problem.errors }),
  });
  expect(problem.reference).toMatch(/^[A-Z2-7]{12}$/);
  if (code === "validation_failed") expectFieldErrors(problem);
  expect(status).toBe(PROBLEMS[code].status);
  expectRefusalHeaders(answer);
  return problem;
}

function expectFieldErrors({ errors = [] }: Problem): void {
  expect(errors).not.toEqual([]);
  for (const error of errors) {
    expect(error).toEqual({
      field: expect.any(String) as unknown,
      pointer: expect.stringMatching(/^#(?:\/[^/]+)*$/) as unknown,
      detail: expect.stringMatching(/^[A-Z1-9].*[.]$/s) as unknown,
    });
  }
}

function expectRefusalHeaders({ status, headers }: Answer): void {
  expect(headers["cache-control"]).toBe("no-cache, no-store");
  expect(headers["x-content-type-options"]).toBe("nosniff");
  expect(headers["referrer-policy"]).toBe("no-referrer");
  expect(headers["www-authenticate"]).toEqual(
    status === 401 ? (expect.stringMatching(/^(?:JWT|Bearer)$/) as unknown) : undefined,
  );
  if (status === 429) expect(Number(headers["retry-after"])).toBeGreaterThanOrEqual(1);
  expectNoBrowserFavours(headers);
}

/** Nothing that lets another site's page read an answer, and nothing for a browser to keep. */
export function expectNoBrowserFavours(headers: IncomingHttpHeaders): void {
  const names = Object.keys(headers);
  expect(names.filter((name) => name.startsWith("access-control-"))).toEqual([]);
  expect(names).not.toContain("set-cookie");
  expect(names).not.toContain("etag");
  expect(names).not.toContain("x-powered-by");
}
