import { FetchFailedError, fetchBounded } from "../bounded-fetch.js";
import type { Clock } from "../clock.js";
import { parseRemoteKeySet, RemoteKeysError, type RemoteKeySet } from "./remote-key-set.js";

// An answer has about 8 KiB. Reading a much longer one would hold up other requests.
const MAX_BYTES = 128 * 1024;

/** How asking for keys went. */
export type RemoteKeyFetch = {
  /** What was published later isn't in it. */
  readonly startedAt: Date;
  readonly milliseconds: number;
} & (
  | { readonly keys: RemoteKeySet; readonly problem: null }
  /** `problem` is a sentence that is safe to show to an admin; `cause` is for the log. */
  | { readonly keys: null; readonly problem: string; readonly cause: unknown }
);

export interface KeyPublisher {
  /** As it stands in a sentence. */
  readonly name: string;
  /** Throws RemoteKeysError where there is nobody to ask. */
  readonly getUrl: () => string;
  readonly explainStatus: (status: number) => string;
}

interface FetchOptions {
  readonly clock: Clock;
  readonly timeoutSeconds: number;
}

/** Asks for the keys that somebody publishes. Never rejects. */
export async function fetchRemoteKeys(
  publisher: KeyPublisher,
  { clock, timeoutSeconds }: FetchOptions,
): Promise<RemoteKeyFetch> {
  const startedAt = clock.now();
  const startedMs = performance.now();
  const measure = () => ({ startedAt, milliseconds: performance.now() - startedMs });
  try {
    const keys = await fetchKeys(publisher, timeoutSeconds);
    return { ...measure(), keys, problem: null };
  } catch (cause) {
    return { ...measure(), keys: null, problem: describe(cause), cause };
  }
}

async function fetchKeys(
  { name, getUrl, explainStatus }: KeyPublisher,
  timeoutSeconds: number,
): Promise<RemoteKeySet> {
  const limits = { timeoutSeconds, maxBytes: MAX_BYTES, headers: { accept: "application/json" } };
  const { status, body } = await fetchBounded(getUrl(), limits);
  if (status !== 200) throw new RemoteKeysError(explainStatus(status));
  return parseRemoteKeySet(body, name);
}

function describe(error: unknown): string {
  if (error instanceof RemoteKeysError || error instanceof FetchFailedError) return error.message;
  return "The keys can't be fetched.";
}
