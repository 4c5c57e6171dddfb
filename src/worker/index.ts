export { createWorker, type Worker } from "./worker.ts";
export type { StepCompute, WorkerDeps, WorkerEvent } from "./worker-deps.ts";
