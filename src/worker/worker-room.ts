import type { WorkerSeam } from "../store/index.ts";
import type { BlobCache } from "./plant/blob-cache.ts";
import type { DispatchGate } from "./plant/dispatch-gate.ts";
import type { GrantCache } from "./plant/grant-cache.ts";
import type { StepCompute, WorkerDeps, WorkerOptions } from "./worker-deps.ts";

/** What all runs of one registration share. */
export interface WorkerRoom {
  readonly deps: WorkerDeps;
  readonly options: WorkerOptions;
  readonly seam: WorkerSeam;
  readonly gate: DispatchGate;
  readonly grants: GrantCache;
  /** Asks again where a thread failed: that says nothing of the step. */
  readonly compute: StepCompute;
  readonly blobs: BlobCache;
  /** A run waits for time alone: another may be claimed beside it. */
  readonly rested: () => void;
}
