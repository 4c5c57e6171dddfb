export { advance, createWalk, restoreWalk } from "./advance.ts";
export { type AttemptDecision, type AttemptHistory, decideAttempt } from "./decide-attempt.ts";
export {
  decideStep,
  runStatusOf,
  type SkipReason,
  type StepDecision,
  type StepSituation,
  type Upstream,
} from "./decide-step.ts";
export {
  type AttemptStatus,
  nextStepState,
  type StepEvent,
  type StepState,
  type StepStatus,
  stepTransitions,
} from "./step-state.ts";
export { type GraphNode, readySteps, type TopologicalOrder, topologicalOrder } from "./topological-order.ts";
export type {
  AttemptEnd,
  AttemptRef,
  Evaluation,
  RunEnd,
  StepEnd,
  StepRunStatus,
  StoredAttempt,
  StoredMark,
  Walk,
  WalkAnswer,
  WalkCommand,
  WalkDag,
  WalkEvent,
  WalkGraph,
  WalkItem,
  WalkPhase,
  WalkReplay,
  WalkRestart,
  WalkStart,
  WalkStep,
  WalkTimer,
} from "./walk.ts";
