import type { PassResult } from "../reconciler/index.ts";
import type { RecorderState } from "../recorder/index.ts";
import type { WorkerEvent } from "../worker/index.ts";

/** What a daemon tells its owner while it runs; the demo and tests wait on these, nothing depends on them. */
export type DaemonEvent =
  | { readonly kind: "part_ready"; readonly part: string; readonly ms: number; readonly detail: string }
  | { readonly kind: "pass"; readonly result: PassResult }
  | { readonly kind: "recorder"; readonly state: RecorderState }
  | WorkerEvent;

export type Emit = (event: DaemonEvent) => void;
