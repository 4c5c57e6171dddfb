export {
  type AttemptStatus,
  nextStepState,
  type StepEvent,
  type StepState,
  type StepStatus,
  stepTransitions,
} from "../dag/index.ts";
export type { Actor, RunContext, RunStatus, Trigger, TriggerKind } from "./trigger.ts";
