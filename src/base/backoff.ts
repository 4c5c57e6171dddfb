export interface BackoffOptions {
  readonly firstMs: number;
  readonly factor: number;
  readonly maxMs: number;
}

/** Wait before attempt `attempt + 1`; `attempt` counts from 1. Deterministic: jitter is the caller's. */
export function backoffMs(attempt: number, { firstMs, factor, maxMs }: BackoffOptions): number {
  return Math.min(maxMs, Math.round(firstMs * factor ** Math.max(0, attempt - 1)));
}

/** Full jitter over the upper half: replicas that failed together do not come back together. */
export function withJitter(ms: number, random: () => number): number {
  return Math.round(ms / 2 + (ms / 2) * random());
}
