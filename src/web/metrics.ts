import { collectDefaultMetrics, Counter, Histogram, Registry } from "prom-client";

export interface RequestSample {
  /** A route pattern, or `other`: never a path, a site or a person. */
  readonly route: string;
  readonly method: string;
  /** A status code, or `aborted` when the client left before the answer was out. */
  readonly status: string;
  /** The problem's code; empty when there was no problem. */
  readonly code: string;
  readonly durationSeconds: number;
}

export interface Metrics {
  /** For further counters; what they are labelled with must name nobody and no tenant. */
  readonly registry: Registry;
  observeRequest(sample: RequestSample): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const total = new Counter({
    name: "http_requests_total",
    help: "Requests answered or aborted.",
    labelNames: ["route", "method", "status", "code"],
    registers: [registry],
  });
  const duration = new Histogram({
    name: "http_request_duration_seconds",
    help: "Time from a request's headers to the end of its answer.",
    labelNames: ["route", "method"],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
    registers: [registry],
  });
  return {
    registry,
    observeRequest: ({ route, method, status, code, durationSeconds }) => {
      total.inc({ route, method, status, code });
      duration.observe({ route, method }, durationSeconds);
    },
  };
}
