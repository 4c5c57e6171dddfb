import { type CodeName, codes, type ErrorClass, Fault, faultOf, utcText } from "../../base/index.ts";
import { sha256 } from "../../base/node-digest.ts";
import type { AttemptRef } from "../../dag/index.ts";
import { spanIdOf, traceparentOf } from "../../run/index.ts";
import type { StepRequest } from "../../sandbox/index.ts";
import type { SecretValues } from "../../secret/index.ts";
import { lastingCall } from "../plant/lasting-call.ts";
import type { RunLedger } from "../run/run-ledger.ts";
import type { WorkerRoom } from "../worker-room.ts";
import { type AttemptFacts, type StoredEnding, storeVerdict } from "./attempt-outcome.ts";
import { type HostSignals, judgeResult, runOnHost } from "./host-run.ts";
import { refusalOf } from "./step-grants.ts";
import { resolveInput, type StepInput } from "./step-input.ts";
import { openPorts } from "./step-ports.ts";
import { findSecrets } from "./step-secrets.ts";

export interface Dispatch extends AttemptRef {
  /** Marked as begun before it starts: the plugin has `effects: any`, or a worker died with this run. */
  readonly mark: boolean;
}

export interface AttemptControls extends HostSignals {
  /** Called once, when the attempt is about to execute: from here on it leaves an outcome. */
  readonly onStart: () => void;
}

export type AttemptEnding =
  | StoredEnding
  | { readonly kind: "not_started"; readonly class: ErrorClass; readonly code: CodeName }
  /** Cut before it started: there is nothing to store. */
  | { readonly kind: "withdrawn"; readonly code: CodeName };

/** One attempt from its place in the gate to its durable outcome. Rejects when `all` aborts or our own house is on fire. */
export async function attemptStep(
  room: WorkerRoom,
  ledger: RunLedger,
  at: Dispatch,
  controls: AttemptControls,
): Promise<AttemptEnding> {
  const early = AbortSignal.any([controls.cut, controls.all]);
  const { tenant } = ledger.run;
  let leave: () => void = () => undefined;
  let prepared: Prepared;
  try {
    leave = await room.gate.enter({ tenant, tenantMax: ledger.pinned.quota.steps.maxConcurrent }, early);
    prepared = await prepare(room, ledger, at, early);
    early.throwIfAborted();
  } catch (error) {
    leave();
    if (controls.cut.aborted && !controls.all.aborted)
      return { kind: "withdrawn", code: faultOf(controls.cut.reason).code };
    throw error;
  }
  if (prepared.kind === "refused") {
    leave();
    const { dagId, runId } = ledger.run;
    const why = { code: prepared.code, reason: prepared.message };
    room.deps.log.warn({ tenant, dagId, runId, stepId: at.stepId, index: at.index, ...why }, "a step does not start");
    return { kind: "not_started", class: codes[prepared.code].class, code: prepared.code };
  }
  controls.onStart();
  return await execute(room, ledger, { at, prepared, leave }, controls);
}

/** Stores what a dead worker left: a begun attempt whose outcome nobody knows. */
export async function settleLost(
  room: WorkerRoom,
  ledger: RunLedger,
  lost: AttemptRef & { readonly startedMs: number; readonly repeatable: boolean },
  signal: AbortSignal,
): Promise<StoredEnding> {
  const resolved = await resolveInput(room, ledger, lost, signal);
  if (resolved.kind === "refused") throw new Fault("INTERNAL", "a begun attempt does not resolve any more");
  const startedUtc = utcText(new Date(lost.startedMs));
  const facts: AttemptFacts = { at: lost, startedUtc, input: resolved.input, traces: null };
  const code = lost.repeatable ? "SANDBOX_LOST" : "LOST_OUTCOME_UNKNOWN";
  const verdict = { status: "failed", class: "lost", code, detail: null } as const;
  return await storeVerdict(room, ledger, { facts, verdict }, signal);
}

type Prepared =
  | {
      readonly kind: "ready";
      readonly input: StepInput;
      readonly pluginBytes: Uint8Array;
      readonly secrets: SecretValues;
    }
  | { readonly kind: "refused"; readonly code: CodeName; readonly message: string };

async function prepare(room: WorkerRoom, ledger: RunLedger, at: Dispatch, signal: AbortSignal): Promise<Prepared> {
  const step = ledger.step(at.stepId);
  const { tenant } = ledger.run;
  if (ledger.isFull(at.stepId))
    return { kind: "refused", code: "RUN_RECORD_FULL", message: codes.RUN_RECORD_FULL.title };
  const resolved = await resolveInput(room, ledger, at, signal);
  if (resolved.kind === "refused") return resolved;
  const pluginBytes = await room.blobs.read(tenant, step.plugin.sha256, signal);
  // Asked of the store, after all that takes time: a grant that an apply took away by now starts nothing.
  const current = await room.grants.read(tenant, signal);
  const refusal = refusalOf(step, current, ledger.pinned.snapshot.allowlist);
  if (refusal !== null) return { kind: "refused", code: refusal, message: codes[refusal].title };
  // Last of all: nothing that can still refuse the step comes after values are in memory.
  const lent = await findSecrets(room, ledger, at.stepId, signal);
  if (lent.kind === "refused") return lent;
  return { kind: "ready", input: resolved.input, pluginBytes, secrets: lent.values };
}

interface Execution {
  readonly at: Dispatch;
  readonly prepared: Extract<Prepared, { kind: "ready" }>;
  readonly leave: () => void;
}

async function execute(
  room: WorkerRoom,
  ledger: RunLedger,
  { at, prepared, leave }: Execution,
  { cut, all }: HostSignals,
): Promise<AttemptEnding> {
  const step = ledger.step(at.stepId);
  const { input, secrets } = prepared;
  const startedUtc = utcText(room.deps.clock.now());
  const giveBack = room.deps.secrets.lend(Object.values(secrets));
  try {
    if (at.mark && !(await begin(room, ledger, { at, startedUtc }, all))) return { kind: "fenced" };
    const request = requestOf(ledger, at, prepared);
    const { ports, traces } = openPorts(room, ledger, at, { input, secrets, signal: all });
    const result = await runOnHost(room, request, ports, { cut, all });
    all.throwIfAborted();
    const judged = { result, values: ledger.values, maxBytes: request.limits.outputBytes };
    const verdict = await judgeResult(room, step, judged, { cut, all });
    // Before the outcome is stored: the next attempt may start while a group commit is under way.
    leave();
    return await storeVerdict(room, ledger, { facts: { at, startedUtc, input, traces }, verdict }, all);
  } finally {
    giveBack();
    leave();
  }
}

async function begin(
  room: WorkerRoom,
  ledger: RunLedger,
  { at, startedUtc }: { readonly at: AttemptRef; readonly startedUtc: string },
  signal: AbortSignal,
): Promise<boolean> {
  const { tenant, runId, fence } = ledger.run;
  const mark = { tenant, runId, fence, stepId: at.stepId, index: at.index, attempt: at.attempt, startedUtc };
  const [verdict] = await lastingCall(room.deps, "begin", () => room.seam.begin([mark]), signal);
  if (verdict === "unfit") throw new Fault("INTERNAL", "the store refuses a mark");
  return verdict !== "fenced";
}

function requestOf(ledger: RunLedger, at: Dispatch, prepared: Execution["prepared"]): StepRequest {
  const { spec, plugin } = ledger.step(at.stepId);
  const { tenant, dagId, runId, context, traceId } = ledger.run;
  const place = { runId, stepId: at.stepId, index: at.index, attempt: at.attempt };
  const { perStep } = ledger.pinned.quota;
  const { input } = prepared;
  return {
    tenant,
    dagId,
    ...place,
    idempotencyKey: input.stepKey,
    traceparent: traceparentOf(traceId, spanIdOf({ ...place, traceId }, sha256)),
    now: context.now,
    seed: context.seed,
    plugin: {
      name: plugin.name,
      version: plugin.version,
      sha256: plugin.sha256,
      bytes: prepared.pluginBytes,
      // What holds secrets shares its process with nothing before or after it.
      isolation: Object.keys(prepared.secrets).length > 0 ? "host" : (spec.isolation ?? plugin.isolation),
      nondeterministic: plugin.nondeterministic,
      builtins: plugin.needs.builtins,
    },
    code: spec.code,
    withText: input.withText,
    files: input.files,
    readable: input.readable,
    network: spec.network,
    secrets: prepared.secrets,
    limits: {
      memoryBytes: Math.min(spec.limits.memoryBytes, perStep.memoryBytes),
      cpuTimeMs: Math.min(spec.limits.cpuTimeMs, perStep.cpuTimeMs),
      scratchBytes: Math.min(spec.limits.scratchBytes, perStep.scratchBytes),
      timeoutMs: Math.min(spec.limits.timeoutMs, perStep.timeoutMs),
      outputBytes: Math.min(maxValueBytes, perStep.outputBytes),
    },
  };
}

/** DESIGN.md section 2: one value. */
const maxValueBytes = 1024 * 1024;
