interface BoundedFetchOptions {
  readonly timeoutSeconds: number;
  readonly maxBytes: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** POSTed as a form, or as JSON, instead of a GET without a body. */
  readonly posted?: URLSearchParams | Readonly<Record<string, unknown>>;
  /** Returns a redirect as the answer that it is; it is followed in no case. */
  readonly wantsRedirects?: boolean;
}

interface BoundedAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

type FetchFailure = "timeout" | "too_large" | "network" | "redirect";

/** The other side gave no complete answer within the limits. Its message is safe to show to an admin. */
export class FetchFailedError extends Error {
  readonly failure: FetchFailure;

  constructor(failure: FetchFailure, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = "FetchFailedError";
    this.failure = failure;
  }
}

/**
 * GETs a URL, or POSTs to it, within a time (headers and body together) and a size, never following a redirect.
 * Any complete answer is returned, whatever its status, but for redirects that nobody wants to see; everything else
 * throws a FetchFailedError.
 */
export async function fetchBounded(url: string, options: BoundedFetchOptions): Promise<BoundedAnswer> {
  const signal = AbortSignal.timeout(options.timeoutSeconds * 1000);
  try {
    const response = await fetch(url, {
      signal,
      redirect: "manual",
      ...writeRequest(options),
    });
    if (response.status >= 300 && response.status < 400 && !options.wantsRedirects) {
      await response.body?.cancel();
      throw new FetchFailedError("redirect", "The server answered with a redirect, which is not followed.");
    }
    const { status, headers } = response;
    return { status, headers, body: await readBounded(response, options.maxBytes) };
  } catch (error) {
    if (error instanceof FetchFailedError) throw error;
    if (signal.aborted) {
      throw new FetchFailedError("timeout", `No answer within ${options.timeoutSeconds} seconds.`, {
        cause: error,
      });
    }
    throw new FetchFailedError("network", "The server can't be reached.", { cause: error });
  }
}

function writeRequest({ headers = {}, posted }: BoundedFetchOptions): RequestInit {
  if (posted === undefined) return { headers };
  if (posted instanceof URLSearchParams) return { headers, method: "POST", body: posted };
  const typed = { ...headers, "content-type": "application/json" };
  return { headers: typed, method: "POST", body: JSON.stringify(posted) };
}

async function readBounded(response: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (!response.body) return Buffer.alloc(0);
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) {
      // Leaving the loop cancels the stream, so the rest is never read.
      throw new FetchFailedError("too_large", `The answer is larger than ${maxBytes} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
