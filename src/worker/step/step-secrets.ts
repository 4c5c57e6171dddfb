import type { CodeName } from "../../base/index.ts";
import type { SecretValues } from "../../secret/index.ts";
import type { RunLedger } from "../run/run-ledger.ts";
import type { WorkerRoom } from "../worker-room.ts";

export type LentValues =
  | { readonly kind: "ready"; readonly values: SecretValues }
  /** `message` names secrets, never values. */
  | { readonly kind: "refused"; readonly code: CodeName; readonly message: string };

/**
 * The values of a step's secrets as they are now, by name in the plugin. An age file is that of the run's
 * `policyRevision`, as its other files are; what the machine itself has is read anew for each attempt.
 */
export async function findSecrets(
  room: WorkerRoom,
  ledger: RunLedger,
  stepId: string,
  signal: AbortSignal,
): Promise<LentValues> {
  const { secrets } = ledger.step(stepId).spec;
  const values: Record<string, string> = {};
  for (const [key, name] of Object.entries(secrets)) {
    if (!room.deps.secrets.levelFits)
      return { kind: "refused", code: "SECRET_LEVEL", message: "the sandbox of this machine is too weak for secrets" };
    const found = await room.deps.secrets.find(ledger.run.tenant, name, await ageFile(room, ledger, name, signal));
    if (found.kind !== "found") return { kind: "refused", code: "SECRET_MISSING", message: missing(name, found) };
    values[key] = found.value;
  }
  return { kind: "ready", values };
}

const missing = (name: string, found: { readonly kind: string; readonly why?: string }): string =>
  found.why === undefined ? `secret ${name} has no value on this site` : `secret ${name} cannot be used: ${found.why}`;

async function ageFile(
  room: WorkerRoom,
  ledger: RunLedger,
  name: string,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  const pinned = ledger.pinned.snapshot.secrets.find((secret) => secret.name === name);
  return pinned === undefined ? null : await room.blobs.read(ledger.run.tenant, pinned.sha256, signal);
}
