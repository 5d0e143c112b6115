import type { NextFunction, Request, Response } from "express";

import { NotFoundError } from "../errors.js";
import { endProblem, PROBLEM_TYPE, sendProblem, startProblem, type Problem } from "./problem-response.js";
import { getRequestContext } from "./request-context.js";
import { createView, type PageLocals } from "./views.js";

interface ProblemPageLocals extends PageLocals {
  readonly problem: Problem;
}

const renderProblemPage = createView<ProblemPageLocals>("problem");

/** For every path that no router answered. */
export function notFound(): never {
  throw new NotFoundError();
}

/** Express' last middleware: any error becomes a problem, as a page for a browser that asks for one. */
export async function handleErrors(
  error: unknown,
  req: Request,
  res: Response,
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- Express tells error handlers by their four parameters.
  _next: NextFunction,
): Promise<void> {
  try {
    if (wantsPage(req)) await sendPage(res, req, error);
    else sendProblem(res, req, error);
  } catch (sendError) {
    // Else Express would answer by itself, with a stack.
    sendProblem(res, req, sendError);
  }
}

async function sendPage(res: Response, req: Request, error: unknown): Promise<void> {
  const problem = startProblem(res, req, error);
  if (problem === null) return;
  res.vary("Accept");
  const html = await renderProblemPage(res, { title: problem.title, problem });
  endProblem(res, req, "text/html; charset=utf-8", html);
}

export function wantsPage(req: Request): boolean {
  // In this order, so that JSON is for everybody who doesn't mind.
  // What the page asks for doesn't arrive through Forge, or not as it was asked.
  if (getRequestContext(req).isThroughForge) return false;
  return req.accepts([PROBLEM_TYPE, "application/json", "text/html"]) === "text/html";
}
