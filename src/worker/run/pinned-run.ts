import { Fault, type JsonObject, parseCanonical } from "../../base/index.ts";
import { sha256 } from "../../base/node-digest.ts";
import { slotScope } from "../../calendar/index.ts";
import type { WalkDag } from "../../dag/index.ts";
import type { RecordApproval } from "../../record/index.ts";
import { specHashOf } from "../../run/index.ts";
import {
  type DagSpec,
  effectiveDag,
  effectiveQuotaAt,
  expressionRoots,
  type PluginManifest,
  type QuotaLimits,
  type StepSpec,
  type TenantSnapshot,
} from "../../spec/index.ts";
import type { ClaimedRun } from "../../store/index.ts";
import { lastingCall } from "../plant/lasting-call.ts";
import type { WorkerRoom } from "../worker-room.ts";

/** A step with what its run pinned for it. */
export interface PinnedStep {
  readonly spec: StepSpec;
  readonly plugin: PluginManifest;
  readonly isFinal: boolean;
  /** Steps whose outputs and statuses its expressions see: its needs, their needs and so on; of `finally` also all steps proper. */
  readonly sees: readonly string[];
}

/** A claimed run with everything read that it was pinned to at admission. */
export interface PinnedRun {
  readonly claimed: ClaimedRun;
  readonly inputs: JsonObject;
  /** `slot` of a run that a schedule started. */
  readonly slot: JsonObject | null;
  readonly snapshot: TenantSnapshot;
  /** As of the run's start: an override that ends meanwhile does not change what a run may use. */
  readonly quota: QuotaLimits;
  readonly steps: ReadonlyMap<string, PinnedStep>;
  readonly walkDag: WalkDag;
  /** Of its dagVersion.commit and its policyRevision, by sha256. */
  readonly approvals: readonly RecordApproval[];
}

/** Reads the pinned snapshot and decodes the stored spec. Fault INTERNAL where the store holds what no admission wrote. */
export async function loadRun(room: WorkerRoom, claimed: ClaimedRun, signal: AbortSignal): Promise<PinnedRun> {
  const { tenant, snapshot: sha256 } = claimed;
  const read = (): Promise<TenantSnapshot> => room.deps.readSnapshot(tenant, sha256, signal);
  const snapshot = await lastingCall(room.deps, "readSnapshot", read, signal);
  const commits = [claimed.commit, claimed.policyRevision];
  const ask = (): Promise<PinnedRun["approvals"]> => room.deps.approvalsOf(tenant, commits, signal);
  const approvals = await lastingCall(room.deps, "approvalsOf", ask, signal);
  return { ...pinRun(claimed, snapshot), approvals };
}

function pinRun(claimed: ClaimedRun, snapshot: TenantSnapshot): Omit<PinnedRun, "approvals"> {
  // What runs must be what the record will name.
  if (specHashOf(claimed.specText, sha256) !== claimed.specHash) {
    throw new Fault("INTERNAL", "the stored spec has another hash");
  }
  const dag = effectiveDag(claimed.specText);
  const steps = new Map<string, PinnedStep>();
  for (const spec of [...dag.steps, ...dag.finally]) {
    const plugin = snapshot.plugins[`${spec.uses.name}@${spec.uses.version}`];
    if (plugin === undefined) throw new Fault("INTERNAL", "a plugin of the run is not in its snapshot");
    const isFinal = dag.finally.includes(spec);
    steps.set(spec.stepId, { spec, plugin, isFinal, sees: seenBy(spec, dag, isFinal) });
  }
  return {
    claimed,
    inputs: inputsOf(claimed),
    slot: slotOf(claimed, dag),
    snapshot,
    quota: effectiveQuotaAt(snapshot.quota, new Date(claimed.startedUtc)),
    steps,
    walkDag: walkDagOf(dag, steps),
  };
}

function walkDagOf(dag: DagSpec, steps: ReadonlyMap<string, PinnedStep>): WalkDag {
  const pinned = [...steps.values()];
  return {
    steps: dag.steps,
    finally: dag.finally,
    timeoutMs: dag.timeoutMs,
    effects: Object.fromEntries(pinned.map(({ spec, plugin }) => [spec.stepId, plugin.effects])),
    statusReads: Object.fromEntries(
      pinned.map(({ spec }) => [spec.stepId, spec.when === null ? [] : expressionRoots(spec.when).status]),
    ),
  };
}

// Ancestors alone: what else has ended by now depends on who was faster, and a value that does would not repeat.
function seenBy(spec: StepSpec, dag: DagSpec, isFinal: boolean): readonly string[] {
  const byId = new Map([...dag.steps, ...dag.finally].map((step) => [step.stepId, step]));
  const seen = new Set<string>(isFinal ? dag.steps.map((step) => step.stepId) : []);
  const open = [...spec.needs];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    open.push(...(byId.get(id)?.needs ?? []));
  }
  return [...seen];
}

function slotOf({ trigger }: ClaimedRun, dag: DagSpec): JsonObject | null {
  const schedule = dag.schedules.find(({ name }) => name === trigger.schedule);
  return schedule === undefined || trigger.slot === null ? null : { ...slotScope(schedule, new Date(trigger.slot)) };
}

function inputsOf({ inputsText }: ClaimedRun): JsonObject {
  const value = parseCanonical(inputsText)?.value;
  if (value === undefined || value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new Fault("INTERNAL", "the stored inputs are no canonical object");
  }
  return value as JsonObject;
}
