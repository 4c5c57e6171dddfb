import type { EgressEvent } from "../../egress/index.ts";
import type { EgressSummary } from "../../store/index.ts";

/** Sums the broker's events of one attempt by target. */
export interface EgressTally {
  add(event: EgressEvent): void;
  /** By host and port. */
  summary(): readonly EgressSummary[];
}

/** A step that tries every host there is must not make a record of every host there is. */
const maxTargets = 100;
const others = { host: "others.invalid", port: 0 };

export function createEgressTally(): EgressTally {
  const targets = new Map<string, EgressSummary>();
  return {
    add: (event) => {
      const target = targets.has(keyOf(event)) || targets.size < maxTargets ? event : others;
      const key = keyOf(target);
      const sum = targets.get(key) ?? {
        host: target.host,
        port: target.port,
        allowed: 0,
        denied: 0,
        sentBytes: 0,
        receivedBytes: 0,
      };
      targets.set(key, {
        ...sum,
        allowed: sum.allowed + (event.kind === "allow" ? 1 : 0),
        denied: sum.denied + (event.kind === "deny" ? 1 : 0),
        sentBytes: sum.sentBytes + event.sentBytes,
        receivedBytes: sum.receivedBytes + event.receivedBytes,
      });
    },
    summary: () => [...targets.values()].sort((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : a.port - b.port)),
  };
}

const keyOf = ({ host, port }: { readonly host: string; readonly port: number }): string => `${host}:${port}`;
