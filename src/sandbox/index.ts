export type { HostSystem } from "./host-system.ts";
export { type ProbeOptions, probeLevel } from "./probe-level.ts";
export { createSandboxHosts, lendsSecrets, type SandboxDeps, type SandboxOptions } from "./sandbox-hosts.ts";
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
