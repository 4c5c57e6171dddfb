export { type BackoffOptions, backoffMs, withJitter } from "./backoff.ts";
export type { Brand } from "./brand.ts";
export {
  canonicalText,
  type Json,
  type JsonDefect,
  type JsonObject,
  jsonDefect,
  maxJsonDepth,
  NotIJson,
  parseCanonical,
} from "./canonical-json.ts";
export { type Clock, callLater, reasonOf, systemClock, type UtcText, utcText } from "./clock.ts";
export { codeExamples } from "./codes/examples.ts";
export { type CodeName, type CodeRow, codeRow, codes, findCode } from "./codes.ts";
export { bytesOfHex, bytesOfText, type Hex, hexDigestWith, hexOf, type Sha256 } from "./digest.ts";
export { type ExitCode, exitCodes } from "./exit-codes.ts";
export { type Disposition, type ErrorClass, Fault, type FaultOptions, faultOf } from "./fault.ts";
export { Gate } from "./gate.ts";
export { type Service, TaskGroup, WakeUp } from "./service.ts";
export { breath, drained, inSlices, type Steps } from "./steps.ts";
