import { type CodeName, type Json, type JsonObject } from "../../base/index.ts";
import { sha256 } from "../../base/node-digest.ts";
import type { AttemptRef } from "../../dag/index.ts";
import { stepHashOf, stepKeyOf } from "../../run/index.ts";
import { type PinnedFile, patternMatches } from "../../spec/index.ts";
import type { RunLedger } from "../run/run-ledger.ts";
import type { WorkerRoom } from "../worker-room.ts";
import { referencedArtifacts } from "./artifact-reference.ts";

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
  /** `message` names places, never values. */
  | { readonly kind: "refused"; readonly code: CodeName; readonly message: string };

/** Resolves `with` and holds it to the plugin's input schema. The scope has ended steps alone, so a repeat gives the same. */
export async function resolveInput(
  room: WorkerRoom,
  ledger: RunLedger,
  at: Pick<AttemptRef, "stepId" | "index">,
  signal: AbortSignal,
): Promise<ResolvedInput> {
  const { spec, plugin } = ledger.step(at.stepId);
  const { compute } = room;
  const resolved = await compute.evaluate({ template: spec.with, scope: ledger.scope(at.stepId, at) }, signal);
  if (!resolved.ok) return { kind: "refused", code: resolved.code, message: resolved.message };
  const { value } = resolved;
  if (!isObject(value)) return { kind: "refused", code: "ERR_EXPR", message: "with is no object" };
  const checked = await compute.checkInput({ value, schema: plugin.input }, signal);
  if (!checked.ok) return { kind: "refused", code: checked.code, message: checked.message };
  return { kind: "resolved", input: inputOf(ledger, at, { value, text: checked.text, hash: checked.hash }) };
}

interface CheckedInput {
  readonly value: JsonObject;
  readonly text: string;
  readonly hash: string;
}

function inputOf(
  ledger: RunLedger,
  at: Pick<AttemptRef, "stepId" | "index">,
  { value, text, hash: inputsHash }: CheckedInput,
): StepInput {
  const { spec, plugin } = ledger.step(at.stepId);
  const files = ledger.pinned.snapshot.files.filter(({ path }) =>
    spec.files.some((pattern) => patternMatches(pattern, path)),
  );
  const hash = stepHashOf(
    {
      plugin: plugin.sha256,
      with: value,
      code: spec.code,
      files,
      network: spec.network,
      secrets: spec.secrets,
    },
    sha256,
  );
  return {
    withText: text,
    inputsHash,
    stepHash: hash,
    stepKey: stepKeyOf({ runToken: ledger.run.runToken, stepId: at.stepId, index: at.index, stepHash: hash }, sha256),
    files,
    readable: referencedArtifacts(value),
  };
}

const isObject = (value: Json): value is JsonObject =>
  value !== null && typeof value === "object" && !Array.isArray(value);
