export { createWorker, type Worker } from "./worker.ts";
export type { StepCompute, WorkerDeps, WorkerEvent, WorkerOptions } from "./worker-deps.ts";
