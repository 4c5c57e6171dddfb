import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** The statuses that `orchestrator_runs_total` counts: ends of runs, and answers of admission that became no run. */
const runOutcomes = ["succeeded", "failed", "cancelled", "timed_out", "rejected", "skipped"] as const;
export type RunOutcome = (typeof runOutcomes)[number];

const ended: readonly RunOutcome[] = ["succeeded", "failed", "cancelled", "timed_out"];

/** The three metrics of the mission; each carries the tenant. */
export interface Metrics {
  /** Makes every series of a tenant exist at 0. */
  openTenant(tenant: string): void;
  runEnded(tenant: string, status: RunOutcome, durationSeconds: number): void;
  /** Slots and starts that became no run. */
  runRefused(tenant: string, outcome: "rejected" | "skipped", count: number): void;
  /** Prometheus text; `queueDepths` is read at the scrape. */
  render(queueDepths: ReadonlyMap<string, number>): Promise<string>;
  readonly contentType: string;
}

const buckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const labelNames = ["tenant", "status"] as const;
  const registers = [registry];
  const runs = new Counter({
    name: "orchestrator_runs_total",
    help: "Runs by their end, and starts and slots that became no run",
    labelNames,
    registers,
  });
  const duration = new Histogram({
    name: "orchestrator_run_duration_seconds",
    help: "From the start of a run to its end",
    labelNames,
    buckets,
    registers,
  });
  const depth = new Gauge({
    name: "orchestrator_queue_depth",
    help: "Runs that wait for a worker",
    labelNames: ["tenant"] as const,
    registers,
  });
  return {
    contentType: registry.contentType,
    openTenant: (tenant) => {
      for (const status of runOutcomes) runs.inc({ tenant, status }, 0);
      for (const status of ended) duration.zero({ tenant, status });
      depth.set({ tenant }, 0);
    },
    runEnded: (tenant, status, seconds) => {
      runs.inc({ tenant, status });
      duration.observe({ tenant, status }, seconds);
    },
    runRefused: (tenant, status, count) => runs.inc({ tenant, status }, count),
    render: (queueDepths) => {
      for (const [tenant, count] of queueDepths) depth.set({ tenant }, count);
      return registry.metrics();
    },
  };
}
