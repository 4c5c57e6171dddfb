export { type AocBreach, type AocEmitter, type AocList, checkAoc } from "./check-aoc.ts";
export {
  type AdmissionDemand,
  type AdmissionSkip,
  type AdmissionUsage,
  type Decision,
  decideAdmission,
  decidePromotion,
  type PromotionUsage,
  type WaitReason,
} from "./decide-admission.ts";
export { type GrantQuestion, grantFindings } from "./grant-findings.ts";
export { endpointGranted, nameMatches, pluginGranted, sameHost, secretGranted, versionMatches } from "./grants.ts";
export { type RunWait, readyWait, runWait } from "./run-wait.ts";
export type { SecretKnowledge } from "./secret-denials.ts";
