import type { Json, JsonObject } from "../../base/index.ts";
import type { StepEnd, StepStatus } from "../../dag/index.ts";
import type { AttemptOutcome } from "../../store/index.ts";

/** All outputs of a run together, as canonical text. */
const maxRunValueBytes = 16 * 1024 * 1024;

/** What a finished step is to expressions: `outputs` is absent where it published none. */
interface PublishedStep {
  readonly status: StepStatus;
  readonly outputs?: Json;
}

/** Outputs of one run: of its items as they end, of its steps once they have ended. */
export interface RunValues {
  /** Takes room for an output before it is stored; false where the run has none left. */
  reserve(text: string): boolean;
  /** Keeps the output of an item. Called with durable outcomes alone. */
  keep(outcome: AttemptOutcome): void;
  /** Publishes a step as its end says; answers the hash of its outputs, null for none. */
  publish(stepId: string, end: StepEnd, hashList: (hashes: readonly (string | null)[]) => string): string | null;
  outputsHash(stepId: string): string | null;
  /** The steps named, as far as they have ended: a step sees its ancestors, never whoever was faster. */
  scope(stepIds: Iterable<string>): JsonObject;
}

interface ItemValue {
  readonly text: string;
  readonly hash: string;
}

export function createRunValues(): RunValues {
  const items = new Map<string, Map<number, ItemValue>>();
  const published = new Map<string, PublishedStep>();
  const hashes = new Map<string, string | null>();
  let bytes = 0;

  const valueOf = (stepId: string, index: number): Json => {
    const item = items.get(stepId)?.get(index);
    return item === undefined ? null : (JSON.parse(item.text) as Json);
  };
  const hashOf = (stepId: string, index: number): string | null => items.get(stepId)?.get(index)?.hash ?? null;

  return {
    reserve: (text) => {
      const size = Buffer.byteLength(text);
      if (bytes + size > maxRunValueBytes) return false;
      bytes += size;
      return true;
    },
    keep: ({ stepId, index, outputText, outputsHash }) => {
      if (outputText === null || outputsHash === null) return;
      const ofStep = items.get(stepId) ?? new Map<number, ItemValue>();
      if (ofStep.has(index)) return;
      items.set(stepId, ofStep.set(index, { text: outputText, hash: outputsHash }));
    },
    publish: (stepId, end, hashList) => {
      const indexes = Array.from({ length: end.items ?? 0 }, (_, index) => index);
      let hash: string | null = null;
      let outputs: Json | undefined;
      if (end.publishes === "value") {
        hash = hashOf(stepId, 0);
        outputs = valueOf(stepId, 0);
      } else if (end.publishes === "list") {
        hash = hashList(indexes.map((index) => hashOf(stepId, index)));
        outputs = indexes.map((index) => valueOf(stepId, index));
      }
      published.set(stepId, outputs === undefined ? { status: end.status } : { status: end.status, outputs });
      hashes.set(stepId, hash);
      items.delete(stepId);
      return hash;
    },
    outputsHash: (stepId) => hashes.get(stepId) ?? null,
    scope: (stepIds) => {
      const scope: Record<string, JsonObject> = {};
      for (const stepId of stepIds) {
        const step = published.get(stepId);
        if (step !== undefined) scope[stepId] = { ...step };
      }
      return scope;
    },
  };
}
