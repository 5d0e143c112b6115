import type { OptionsWithUri, Request, Response } from "request";

import { AppError } from "../errors.js";
import type { Ace } from "./ace.js";

export interface HostRequest {
  readonly method: "get" | "post";
  /** Below the product's base URL, with its query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: object;
}

interface HostAnswer {
  readonly status: number;
  readonly body: Buffer;
}

interface Dependencies {
  readonly ace: Pick<Ace, "hostClient">;
  readonly timeoutSeconds?: number;
}

const MAX_BYTES = 1024 * 1024;
const TOO_LARGE = `The answer is larger than ${MAX_BYTES} bytes.`;

/** ACE's signed calls to a product, within a time and a size, and without following redirects. */
export class HostClient {
  readonly #ace: Pick<Ace, "hostClient">;
  readonly #timeoutSeconds: number;

  constructor({ ace, timeoutSeconds = 10 }: Dependencies) {
    this.#ace = ace;
    this.#timeoutSeconds = timeoutSeconds;
  }

  /** Any complete answer, whatever its status; everything else throws AppError `upstream_failed` or `upstream_timeout`. */
  send(clientKey: string, { method, path, body }: HostRequest): Promise<HostAnswer> {
    return new Promise((resolve, reject) => {
      const aborting = new AbortController();
      const giveUp = (error: AppError) => {
        clearTimeout(timer);
        reject(error);
        aborting.abort();
      };
      // The `timeout` of ACE's client starts anew with every byte; this one covers headers and body together.
      const timer = setTimeout(() => giveUp(new AppError("upstream_timeout")), this.#timeoutSeconds * 1000);
      const onEnd = (error: unknown, response: Response, bytes: Buffer) => {
        clearTimeout(timer);
        if (error) reject(upstreamFailed(error));
        else resolve({ status: response.statusCode, body: bytes });
      };
      const onSent = (sent: Request | undefined) => {
        if (aborting.signal.aborted) sent?.abort();
        aborting.signal.addEventListener("abort", () => sent?.abort());
        let size = 0;
        sent?.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_BYTES) giveUp(new AppError("upstream_failed", undefined, { reason: TOO_LARGE }));
        });
      };
      const options: OptionsWithUri = {
        uri: path,
        followRedirect: false,
        encoding: null,
        headers: { accept: "application/json", ...(body && { "content-type": "application/json" }) },
        ...(body && { body: JSON.stringify(body) }),
      };
      this.#ace
        .hostClient(clientKey)
        [method]<Request | undefined, OptionsWithUri>(options, onEnd)
        .then(onSent, (error: unknown) => giveUp(upstreamFailed(error)));
    });
  }
}

/** ACE rejects with strings, too. */
function upstreamFailed(failure: unknown): AppError {
  const cause = failure instanceof Error ? failure : new Error(String(failure));
  return new AppError("upstream_failed", undefined, { cause });
}
