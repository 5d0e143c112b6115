import { Client } from "undici";

import { summarize, type Sample } from "./statistics.js";

/** Calls in a closed loop: each connection sends its next call when it has the answer to the last one. */
export interface Load {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly seconds: number;
}

// In a process of its own, so that what it does takes no time of what it measures.
process.on("message", (load: Load) => {
  run(load).then(
    (sample) => process.send?.(sample),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

async function run(load: Load): Promise<Sample> {
  const latenciesMs: number[] = [];
  const startedAt = performance.now();
  const endsAt = startedAt + load.seconds * 1000;
  await Promise.all(Array.from({ length: load.connections }, () => callUntil(endsAt, load, latenciesMs)));
  return summarize(latenciesMs, (performance.now() - startedAt) / 1000);
}

async function callUntil(endsAt: number, { url, headers }: Load, latenciesMs: number[]): Promise<void> {
  const { origin, pathname } = new URL(url);
  const client = new Client(origin);
  while (performance.now() < endsAt) {
    const startedAt = performance.now();
    const { statusCode, body } = await client.request({ path: pathname, method: "GET", headers });
    const text = await body.text();
    latenciesMs.push(performance.now() - startedAt);
    if (statusCode !== 200) throw new Error(`${url} answered ${statusCode}: ${text}`);
  }
  await client.close();
}
