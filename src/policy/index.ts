export type { AdmissionDemand, AdmissionUsage, Decision } from "./decision.ts";
