/** What the broker saw: each allow and deny once, each allowed tunnel's end with its byte counts. */
export interface EgressEvent {
  readonly kind: "allow" | "deny" | "close";
  readonly host: string;
  readonly port: number;
  /** lower_snake; `allowlisted` on allow, why on deny and close. */
  readonly reason: string;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/**
 * The current grant for a target. `allow_private` also lets its name resolve to an address of a private range; plain
 * `allow` reaches a private address only where the grant names that address itself.
 */
export type EgressDecision = "allow" | "allow_private" | "deny";
