export {
  type AttemptStatus,
  nextStepState,
  type StepEvent,
  type StepState,
  type StepStatus,
  stepTransitions,
} from "../dag/index.ts";
export {
  inputsHashOf,
  itemsHashOf,
  outputsHashOf,
  runOutputsHashOf,
  type StepAsk,
  type StepKeyParts,
  specHashOf,
  stepHashOf,
  stepKeyOf,
} from "./hashes.ts";
export { nextRunState, type RunEvent, type RunState, runTransitions } from "./run-state.ts";
export {
  type ContextParts,
  contextOf,
  type ReplayTokenParts,
  type RunTokenParts,
  replayTokenOf,
  runIdOf,
  runTokenOf,
  type SpanParts,
  slotKeyOf,
  spanIdOf,
  traceIdOf,
  traceparentOf,
} from "./tokens.ts";
export type { Actor, RunContext, RunStatus, Trigger, TriggerKind } from "./trigger.ts";
