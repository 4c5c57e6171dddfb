export type { EgressDecision, EgressEvent } from "./egress-event.ts";
