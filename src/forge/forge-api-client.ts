import { fetchBounded, FetchFailedError } from "../bounded-fetch.js";
import { AppError } from "../errors.js";
import { parseJson } from "../parse-json.js";
import type { ForgePlace } from "./forge-place.js";
import type { ForgeQuestion } from "./forge-questions.js";
import { createApiUrl } from "./installed-place.js";

interface Options {
  readonly timeoutSeconds?: number;
}

const MAX_BYTES = 1024 * 1024;

/** Questions to a product with a token of its own kind, within a time and a size, and without following redirects. */
export class ForgeApiClient {
  readonly #timeoutSeconds: number;

  constructor({ timeoutSeconds = 10 }: Options = {}) {
    this.#timeoutSeconds = timeoutSeconds;
  }

  /**
   * Null when the product doesn't take the token, refuses to tell, knows nothing of it, or answers something else.
   * Throws AppError `upstream_failed` or `upstream_timeout`.
   */
  async ask<T>(place: ForgePlace, token: string, { path, answer }: ForgeQuestion<T>): Promise<T | null> {
    const { status, body } = await this.#get(`${createApiUrl(place)}${path}`, token);
    if (status === 401 || status === 403 || status === 404) return null;
    if (status !== 200) throw upstreamFailed(`The product answered ${status}.`);
    const json = parseJson(body);
    if (json === undefined) throw upstreamFailed("The product's answer isn't JSON.");
    const parsed = answer.safeParse(json);
    return parsed.success ? parsed.data : null;
  }

  async #get(url: string, token: string): ReturnType<typeof fetchBounded> {
    try {
      return await fetchBounded(url, {
        timeoutSeconds: this.#timeoutSeconds,
        maxBytes: MAX_BYTES,
        headers: { accept: "application/json", authorization: `Bearer ${token}` },
      });
    } catch (error) {
      if (!(error instanceof FetchFailedError)) throw error;
      if (error.failure === "timeout") throw new AppError("upstream_timeout");
      // Without a cause: the token is in what failed.
      throw upstreamFailed(`The product: ${error.message}`);
    }
  }
}

function upstreamFailed(reason: string): AppError {
  return new AppError("upstream_failed", undefined, { reason });
}
