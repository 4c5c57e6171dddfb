export {
  type CancelRequest,
  createRunStarter,
  type RunStarter,
  type StartAnswer,
  type StartRequest,
} from "./run-starter.ts";
export { createScheduler, type Scheduler, tick } from "./scheduler.ts";
export type { SchedulerDeps, SiteFacts, StarterDeps } from "./scheduler-deps.ts";
