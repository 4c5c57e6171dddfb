import { type CodeName, canonicalText, type Json, type JsonObject } from "../base/index.ts";
import { sha256 } from "../base/node-digest.ts";
import type { AttemptRef } from "../dag/index.ts";
import { inputsHashOf, stepHashOf, stepKeyOf } from "../run/index.ts";
import type { PinnedFile } from "../spec/index.ts";
import { referencedArtifacts } from "./artifact-reference.ts";
import { matchedFiles } from "./pending.ts";
import type { RunLedger } from "./run-ledger.ts";
import type { WorkerRoom } from "./worker-room.ts";

/** What one item asks, and the hashes that say so (DESIGN.md section 2). Equal over its attempts. */
export interface StepInput {
  readonly withText: string;
  readonly inputsHash: string;
  readonly stepHash: string;
  readonly stepKey: string;
  readonly files: readonly PinnedFile[];
  /** Artifacts whose references stand in `with`: what it may read. */
  readonly readable: readonly string[];
}

export type ResolvedInput =
  | { readonly kind: "resolved"; readonly input: StepInput }
  | { readonly kind: "refused"; readonly code: CodeName };

/** Resolves `with` and holds it to the plugin's input schema. The scope has ended steps alone, so a repeat gives the same. */
export async function resolveInput(
  room: WorkerRoom,
  ledger: RunLedger,
  at: Pick<AttemptRef, "stepId" | "index">,
  signal: AbortSignal,
): Promise<ResolvedInput> {
  const { spec, plugin } = ledger.step(at.stepId);
  const { compute } = room.deps;
  const resolved = await compute.evaluate({ template: spec.with, scope: ledger.scope(at.stepId, at) }, signal);
  if (!resolved.ok) return { kind: "refused", code: resolved.code };
  const checked = await compute.checkInput({ value: resolved.value, schema: plugin.input }, signal);
  if (!checked.ok) return { kind: "refused", code: checked.code };
  return isObject(resolved.value)
    ? { kind: "resolved", input: inputOf(ledger, at, resolved.value) }
    : { kind: "refused", code: "ERR_EXPR" };
}

function inputOf(ledger: RunLedger, at: Pick<AttemptRef, "stepId" | "index">, value: JsonObject): StepInput {
  const { spec, plugin } = ledger.step(at.stepId);
  const files = matchedFiles(spec.files, ledger.pinned.snapshot.files);
  const hash = stepHashOf(
    {
      plugin: plugin.sha256,
      with: value,
      code: spec.code,
      files,
      network: spec.network,
      secrets: {},
    },
    sha256,
  );
  return {
    withText: canonicalText(value),
    inputsHash: inputsHashOf(value, sha256),
    stepHash: hash,
    stepKey: stepKeyOf({ runToken: ledger.run.runToken, stepId: at.stepId, index: at.index, stepHash: hash }, sha256),
    files,
    readable: referencedArtifacts(value),
  };
}

const isObject = (value: Json): value is JsonObject =>
  value !== null && typeof value === "object" && !Array.isArray(value);
