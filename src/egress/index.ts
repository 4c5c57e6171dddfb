export { type Authority, authorityText, parseAuthority } from "./authority.ts";
export {
  createEgressBroker,
  type EgressBroker,
  type EgressBrokerDeps,
  type EgressBrokerOptions,
  type EgressGrant,
} from "./egress-broker.ts";
export type { EgressDecision, EgressEvent } from "./egress-event.ts";
export { dialAddress, resolveAddresses } from "./network.ts";
