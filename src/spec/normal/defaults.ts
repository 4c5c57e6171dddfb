import type { ErrorClass } from "../../base/index.ts";

const minute = 60_000;
const mebi = 1024 * 1024;

/**
 * Every default of the spec language (DESIGN.md section 3), in the units of the normal form: ms and bytes. The schemas
 * repeat them as people write them; a test compares the two. None changes within an apiVersion: it would change hashes.
 */
export const defaults = {
  dag: {
    timeoutMs: 60 * minute,
    concurrency: { max: 1, overlap: "queue" },
  },
  schedule: {
    name: "default",
    timezone: "UTC",
    catchUpPolicy: "none",
  },
  step: {
    continueOnError: false,
  },
  forEach: {
    as: "item",
    maxItems: 1000,
  },
  retry: {
    maxAttempts: 1,
    backoffMs: 5000,
    factor: 2,
    maxBackoffMs: 5 * minute,
    errors: ["timeout", "transient"] as readonly ErrorClass[],
  },
  limits: {
    memoryBytes: 128 * mebi,
    cpuTimeMs: minute,
    scratchBytes: 16 * mebi,
    timeoutMs: 5 * minute,
  },
  quota: {
    weight: 1,
    maxConcurrentRuns: 4,
    maxQueuedRuns: 100,
    maxConcurrentSteps: 4,
    perStep: {
      memoryBytes: 256 * mebi,
      cpuTimeMs: minute,
      timeoutMs: 10 * minute,
      scratchBytes: 64 * mebi,
      outputBytes: mebi,
    },
    minIntervalMs: minute,
  },
  allowlist: {
    private: false,
  },
  slo: {
    windowMs: 30 * 24 * 60 * minute,
  },
  tenant: {
    suspend: false,
  },
  repository: {
    commits: "require",
    merges: "firstParent",
    approvals: 0,
    prunePercent: 20,
  },
  site: {
    keyFrom: 1,
    /** null = never. */
    warnAfterMs: null,
    stopAfterMs: null,
  },
  plugin: {
    effects: "any",
    needsNetwork: false,
    secretOptional: false,
    isolation: "realm",
    nondeterministic: false,
  },
} as const;
