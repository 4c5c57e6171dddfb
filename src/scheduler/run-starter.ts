import type { CodeName, JsonObject } from "../base/index.ts";
import type { CancelAnswer } from "../store/index.ts";

/** Starts and cancels runs on a person's word: the one way for API, CLI and tests. */
export interface RunStarter {
  start(request: StartRequest): Promise<StartAnswer>;
  cancel(request: CancelRequest): Promise<CancelAnswer>;
}

export interface StartRequest {
  readonly tenant: string;
  readonly dagId: string;
  /** The client's Idempotency-Key; null = a fresh one. */
  readonly key: string | null;
  readonly inputs: JsonObject;
  readonly rationale: string | null;
  readonly subject: string;
}

export type StartAnswer =
  | { readonly kind: "admitted"; readonly runId: string; readonly runNo: number }
  | { readonly kind: "existing"; readonly runId: string }
  | { readonly kind: "refused"; readonly code: CodeName; readonly message: string | null };

export interface CancelRequest {
  readonly tenant: string;
  readonly runId: string;
  readonly rationale: string | null;
  readonly subject: string;
}
