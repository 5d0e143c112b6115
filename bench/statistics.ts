/** What one round of calls took, in milliseconds. */
export interface Sample {
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly callsPerSecond: number;
}

export function summarize(latenciesMs: readonly number[], seconds: number): Sample {
  const sorted = Float64Array.from(latenciesMs).sort();
  return {
    medianMs: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    callsPerSecond: sorted.length / seconds,
  };
}

export function median(values: readonly number[]): number {
  return quantile(Float64Array.from(values).sort(), 0.5);
}

/** Of values in order, between the two nearest. */
function quantile(sorted: Float64Array, fraction: number): number {
  const position = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(position)] ?? NaN;
  const above = sorted[Math.ceil(position)] ?? NaN;
  return below + (above - below) * (position % 1);
}
