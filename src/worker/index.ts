export { createWorker, type Worker } from "./worker.ts";
export {
  type StepCompute,
  type WorkerDeps,
  type WorkerEvent,
  type WorkerOptions,
  workerDefaults,
} from "./worker-deps.ts";
