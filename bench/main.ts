import { writeFile } from "node:fs/promises";
import path from "node:path";

import { addedMs, createTable, describeMachine, type Rounds } from "./report.js";
import { startScene, type Scene } from "./scene.js";
import type { Sample } from "./statistics.js";

/** `npm run bench`: the gateway beside a bare proxy to the same upstream, in turns, so that both meet the same machine. */
const ROUNDS = 7;
const SECONDS = 2;
const CONNECTIONS = [1, 4, 16];
const WARM_UP_SECONDS = 3;
/** What the gateway may add at the median while the machine does nothing else, with one connection. */
const MAX_ADDED_MS = 1;

async function measureInTurns(scene: Scene, connections: number): Promise<Rounds> {
  const gateway: Sample[] = [];
  const bareProxy: Sample[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const both = [
      async () => gateway.push(await scene.measure({ ...scene.gateway, connections, seconds: SECONDS })),
      async () => bareProxy.push(await scene.measure({ ...scene.bareProxy, connections, seconds: SECONDS })),
    ];
    // Whoever comes second may find the machine warmer.
    for (const measure of round % 2 === 0 ? both : both.reverse()) await measure();
  }
  return { connections, gateway, bareProxy };
}

const scene = await startScene();
try {
  for (const way of [scene.gateway, scene.bareProxy]) {
    await scene.measure({ ...way, connections: 4, seconds: WARM_UP_SECONDS });
  }
  const all: Rounds[] = [];
  for (const connections of CONNECTIONS) all.push(await measureInTurns(scene, connections));
  const table = createTable(all);
  console.log(`\n${table}\n\n${describeMachine()}`);
  await writeFile(path.join(import.meta.dirname, "RESULTS.md"), describeResults(table));
  const [alone] = all;
  if (!alone || !(addedMs(alone) < MAX_ADDED_MS)) {
    console.error(`With one connection the gateway adds ${MAX_ADDED_MS} ms or more.`);
    process.exitCode = 1;
  }
} finally {
  await scene.close();
}

function describeResults(table: string): string {
  return `# What the gateway costs

\`npm run bench\` writes this file. It calls one upstream (2 kB of JSON from memory) through the gateway, and through a bare
\`node:http\` + undici proxy that looks at nothing, in turns: ${ROUNDS} rounds of ${SECONDS} seconds each, in a closed loop. Each number is the median
of the rounds; _added_ is the median of the differences between the medians of two rounds that follow each other. Upstream, proxy, app
and load are processes of their own on one machine. Nothing of the app is turned off: token, tenant, settings, link, consent and limits are
looked at for each call, and each call leaves its line in the log and its audit event. With one connection the gateway is to add less than
${MAX_ADDED_MS} ms, or the command fails; with more, it is what one core can do, and calls wait for each other.

${table}

${describeMachine()}.
`;
}
