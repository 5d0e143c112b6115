import { cpus, totalmem } from "node:os";
import undici from "undici/package.json" with { type: "json" };

import { median, type Sample } from "./statistics.js";

export interface Rounds {
  readonly connections: number;
  /** The same number of both, taken in turns. */
  readonly gateway: readonly Sample[];
  readonly bareProxy: readonly Sample[];
}

/** A row of text per number of connections, ratio first. */
export function createTable(all: readonly Rounds[]): string {
  const rows = all.map(({ connections, gateway, bareProxy }) => {
    const ofGateway = medians(gateway);
    const ofProxy = medians(bareProxy);
    return [
      connections,
      `${(ofGateway.medianMs / ofProxy.medianMs).toFixed(2)} ×`,
      `${addedMs({ gateway, bareProxy }).toFixed(2)} ms`,
      `${ofGateway.medianMs.toFixed(2)} ms`,
      `${ofProxy.medianMs.toFixed(2)} ms`,
      `${ofGateway.p99Ms.toFixed(1)} ms`,
      `${ofProxy.p99Ms.toFixed(1)} ms`,
      Math.round(ofGateway.callsPerSecond),
      Math.round(ofProxy.callsPerSecond),
    ].map(String);
  });
  return toMarkdown([
    [
      "connections",
      "ratio",
      "added",
      "gateway",
      "bare proxy",
      "gateway p99",
      "bare p99",
      "gateway calls/s",
      "bare calls/s",
    ],
    ...rows,
  ]);
}

/** The median of what the gateway added in each pair of rounds. */
export function addedMs({ gateway, bareProxy }: Pick<Rounds, "gateway" | "bareProxy">): number {
  return median(gateway.map(({ medianMs }, index) => medianMs - (bareProxy[index]?.medianMs ?? NaN)));
}

export function describeMachine(): string {
  const [{ model } = { model: "unknown" }] = cpus();
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return `${model}, ${cpus().length} cores, ${gibibytes} GiB; ${process.platform} ${process.arch}; Node ${process.version}, undici ${undici.version}`;
}

function medians(samples: readonly Sample[]): Sample {
  return {
    medianMs: median(samples.map(({ medianMs }) => medianMs)),
    p99Ms: median(samples.map(({ p99Ms }) => p99Ms)),
    callsPerSecond: median(samples.map(({ callsPerSecond }) => callsPerSecond)),
  };
}

function toMarkdown(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map(
    (row) => `| ${row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join(" | ")} |`,
  );
  const [head = "", ...body] = lines;
  return [head, `| ${widths.map((width) => `${"-".repeat(width - 1)}:`).join(" | ")} |`, ...body].join("\n");
}
