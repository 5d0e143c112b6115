import { setTimeout as sleep } from "node:timers/promises";
import type { BrowserContext, Route } from "playwright-core";

import { PROBLEMS, type ProblemCode } from "../../src/errors.js";
import { PROBLEM_TYPE, type Problem } from "../../src/web/problem-response.js";
import type { PageErrors } from "./page-errors.fixture.js";

type Handler = (route: Route) => Promise<void>;
/** Ends what was begun: the API answers for itself again. */
type Undo = () => void;

interface Refusal extends Partial<Problem> {
  /** Sent as a header. */
  readonly retryAfterSeconds?: number;
}

interface Rule {
  readonly method: string;
  readonly path: string | RegExp;
  readonly handle: Handler;
}

/** Comes between the pages and the app's API. Only what a browser asks is touched, never what the test itself asks. */
export class ApiControl {
  /** Every answer takes at least so long. */
  delayMs = 0;
  readonly #rules: Rule[] = [];
  readonly #errors: PageErrors;
  readonly #appUrl: string;

  private constructor(appUrl: string, errors: PageErrors) {
    this.#appUrl = appUrl;
    this.#errors = errors;
  }

  static async take(context: BrowserContext, appUrl: string, errors: PageErrors): Promise<ApiControl> {
    const control = new ApiControl(appUrl, errors);
    await context.route(
      (url) => url.href.startsWith(`${appUrl}/api/`),
      (route) => control.#answer(route),
    );
    return control;
  }

  /** `path` is without the query, such as `/api/v1/settings`; the newest rule wins. */
  refuse(
    method: string,
    path: string | RegExp,
    code: ProblemCode,
    { retryAfterSeconds, ...extras }: Refusal = {},
  ): Undo {
    const { status, title, cause, fix } = PROBLEMS[code];
    const problem: Problem = {
      type: `${this.#appUrl}/problems#${code}`,
      title,
      status,
      detail: `${cause} ${fix}`,
      code,
      reference: "req-0123456789",
      ...extras,
    };
    const headers = {
      "content-type": PROBLEM_TYPE,
      ...(retryAfterSeconds !== undefined && { "retry-after": String(retryAfterSeconds) }),
    };
    this.#errors.allowStatus(status);
    return this.#add(method, path, (route) =>
      route.fulfill({ status, headers, body: JSON.stringify(problem) }),
    );
  }

  /** Answers with this instead. */
  reply(method: string, path: string | RegExp, json: unknown, status = 200): Undo {
    return this.#add(method, path, (route) => route.fulfill({ status, json }));
  }

  /** As when the network is gone. */
  cut(method: string, path: string | RegExp): Undo {
    this.#errors.allow(/^Failed to load resource: net::ERR_CONNECTION_FAILED/);
    return this.#add(method, path, (route) => route.abort("connectionfailed"));
  }

  /** No answer, and then the app's own once it is released. */
  hold(method: string, path: string | RegExp): Undo {
    let release: Undo = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const undo = this.#add(method, path, async (route) => {
      await released;
      await route.fallback();
    });
    return () => {
      undo();
      release();
    };
  }

  #add(method: string, path: string | RegExp, handle: Handler): Undo {
    const rule = { method, path, handle };
    this.#rules.unshift(rule);
    return () => {
      const index = this.#rules.indexOf(rule);
      if (index >= 0) this.#rules.splice(index, 1);
    };
  }

  async #answer(route: Route): Promise<void> {
    if (this.delayMs > 0) await sleep(this.delayMs, undefined, { ref: false });
    const method = route.request().method();
    const path = new URL(route.request().url()).pathname;
    const rule = this.#rules.find(
      (candidate) =>
        candidate.method === method &&
        (typeof candidate.path === "string" ? candidate.path === path : candidate.path.test(path)),
    );
    await (rule ? rule.handle(route) : route.fallback());
  }
}
