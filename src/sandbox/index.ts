export type {
  CanaryProbe,
  SandboxFacts,
  SandboxHosts,
  SandboxLevel,
  StepFile,
  StepLimits,
  StepLogLine,
  StepPlugin,
  StepPorts,
  StepRequest,
  StepResult,
  WrittenArtifact,
} from "./step-request.ts";
