import type { UtcText } from "../base/index.ts";

export type TriggerKind = "schedule" | "manual" | "rerun" | "backfill" | "replay" | "event" | "upstream" | "change";

/** Why a run exists; (tenant, dagId, kind, key) is its admission key, unique for ever per site. */
export interface Trigger {
  readonly kind: TriggerKind;
  readonly key: string;
  /** Only for kind `schedule`. */
  readonly schedule: string | null;
  readonly slot: UtcText | null;
}

/** Who is answerable. `key` is a key fingerprint, only for kind `commit`. */
export interface Actor {
  readonly kind: "schedule" | "user" | "commit" | "site";
  readonly subject: string;
  readonly key: string | null;
}

/** The run context (DESIGN.md section 2): the only clock and chance that a step sees. */
export interface RunContext {
  readonly now: UtcText;
  /** 64 hex digits. */
  readonly seed: string;
}

export type RunStatus = "succeeded" | "failed" | "cancelled" | "timed_out";
