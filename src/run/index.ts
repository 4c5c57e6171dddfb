export type { Actor, AttemptStatus, RunContext, RunStatus, StepStatus, Trigger, TriggerKind } from "./trigger.ts";
