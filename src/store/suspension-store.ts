import type { Suspension } from "../plan/index.ts";
import type { OutboxBody } from "./revision-store.ts";

export type { Suspension } from "../plan/index.ts";

/** Break-glass of one tenant; each change stands in the outbox with its record, in one transaction. */
export interface SuspensionStore {
  /** By dagId, that of the whole tenant first; expired ones too, until somebody ends or replaces them. */
  list(tenant: string): Promise<readonly Suspension[]>;
  /** One a target: a second one takes the place of the first. */
  suspend(tenant: string, suspension: Suspension, record: OutboxBody): Promise<void>;
  /** False where nothing was suspended: then nothing is recorded. */
  end(tenant: string, dagId: string | null, record: OutboxBody): Promise<boolean>;
}
