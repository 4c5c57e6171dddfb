import type { EgressEvent, EgressGrant } from "../egress/index.ts";
import { stepFailure } from "./step-failure.ts";
import type { StepPorts, StepRequest, StepResult } from "./step-request.ts";

/** What one attempt may reach, and what of it its result must say. */
export interface StepEgress {
  readonly grant: EgressGrant;
  /** A step that fails after its grant was taken away fails by that, whatever it makes of the closed connection. */
  judged(result: StepResult): StepResult;
}

export function watchEgress(request: StepRequest, ports: StepPorts): StepEgress {
  const holdsSecrets = Object.keys(request.secrets).length > 0;
  let revoked: string | null = null;
  return {
    grant: {
      targets: request.network,
      decide: (host, port) => ports.decideEgress(host, port),
      event: (event) => {
        if (event.reason === "allowlist_revoked") revoked = `${event.host}:${event.port}`;
        ports.egress(holdsSecrets ? nameless(event, request.network) : event);
      },
    },
    judged: (result) => {
      const isOwnFailure = result.kind === "failed" && ["STEP_FAILED", "EGRESS_DENIED"].includes(result.code);
      if (revoked === null || !isOwnFailure) return result;
      return stepFailure("ALLOWLIST_REVOKED", `the allowlist no longer grants ${revoked}`);
    },
  };
}

/**
 * Events go into records. A step that holds secrets could spell one in the names that it asks for: what it did not
 * declare is told without its name.
 */
function nameless(event: EgressEvent, declared: readonly string[]): EgressEvent {
  if (declared.includes(`${event.host}:${event.port}`)) return event;
  return { ...event, host: "undeclared.invalid", port: 0 };
}
