import { type CodeName, type ErrorClass, utcText } from "../../base/index.ts";
import { sha256 } from "../../base/node-digest.ts";
import { type RecordApproval, runBody, type StepRecord, stepRecord } from "../../record/index.ts";
import { type RunStatus, replayTokenOf, runOutputsHashOf } from "../../run/index.ts";
import type { CancelRequest, ClaimedRun, Rationale, Settlement } from "../../store/index.ts";
import type { WorkerRoom } from "../worker-room.ts";
import type { PinnedStep } from "./pinned-run.ts";
import type { RunLedger } from "./run-ledger.ts";

export interface RunEnding {
  readonly status: RunStatus;
  readonly class: ErrorClass | null;
  readonly code: CodeName | null;
}

/** What our own bug makes of a run. */
export const brokenEnding: RunEnding = { status: "failed", class: "internal", code: "INTERNAL" };

/** What becomes of a run that worker after worker died with. */
export const poisonedEnding: RunEnding = { status: "failed", class: "poison", code: "RUN_POISONED" };

/** A run that is settled without its steps did not come to the end that its walk says. */
export const bareEnding = (ending: RunEnding): RunEnding => (ending === poisonedEnding ? ending : brokenEnding);

interface Ended {
  readonly ending: RunEnding;
  readonly cancel: CancelRequest | null;
}

/** The settlement with the record body: every step of the spec, also those that never ran. */
export function settlementOf(room: WorkerRoom, ledger: RunLedger, { ending, cancel }: Ended): Settlement {
  const { claimed, steps, approvals } = ledger.pinned;
  const pinned = [...steps.values()];
  const proper = pinned.filter((step) => !step.isFinal).map(({ spec }) => spec.stepId);
  const outputsHash = runOutputsHashOf(
    Object.fromEntries(proper.map((stepId) => [stepId, ledger.ended(stepId)?.outputsHash ?? null])),
    sha256,
  );
  const records = pinned.map((step) => recordOf(ledger, step));
  const deterministic = pinned.every(
    ({ spec, plugin }) =>
      spec.network.length === 0 && Object.keys(spec.secrets).length === 0 && !plugin.nondeterministic,
  );
  const replayToken = replayTokenOf({
    site: room.options.site,
    tenant: claimed.tenant,
    dagId: claimed.dagId,
    runId: claimed.runId,
    commit: claimed.policyRevision,
    specHash: claimed.specHash,
    plugins: Object.fromEntries(pinned.map(({ plugin }) => [`${plugin.name}@${plugin.version}`, plugin.sha256])),
    inputsHash: claimed.inputsHash,
    now: claimed.context.now,
    outputsHash,
    runtime: { ...room.options.runtime },
  });
  return settlement(room, claimed, { ending, cancel, outputsHash, replayToken, deterministic, records, approvals });
}

/** Where the run could not even be read: its record says so and has no steps. */
export function unreadableSettlement(room: WorkerRoom, claimed: ClaimedRun, ended: Ended): Settlement {
  const outputsHash = runOutputsHashOf({}, sha256);
  const nothing = { outputsHash, replayToken: null, deterministic: false, records: [], approvals: [] };
  return settlement(room, claimed, { ...ended, ...nothing });
}

interface Story extends Ended {
  readonly outputsHash: string;
  readonly replayToken: string | null;
  readonly deterministic: boolean;
  readonly records: readonly StepRecord[];
  readonly approvals: readonly RecordApproval[];
}

function settlement(room: WorkerRoom, claimed: ClaimedRun, story: Story): Settlement {
  const { tenant, runId, fence, startedUtc } = claimed;
  const { status, class: errorClass, code } = story.ending;
  const endedUtc = utcText(room.deps.clock.now());
  const body = runBody(
    {
      site: room.options.site,
      run: { ...claimed, rationale: [...claimed.rationale, ...cancelRationale(story.cancel)] },
      status,
      class: errorClass,
      code,
      startedUtc,
      endedUtc,
      outputsHash: story.outputsHash,
      replayToken: story.replayToken,
      runtime: room.options.runtime,
      deterministic: story.deterministic,
      steps: story.records,
      approvals: story.approvals,
    },
    sha256,
  );
  const { recordId, bodyText } = body;
  const { outputsHash } = story;
  return { tenant, runId, fence, status, class: errorClass, code, endedUtc, outputsHash, recordId, bodyText };
}

// Who cancelled stands nowhere else in the record: `actor` is who started the run.
function cancelRationale(cancel: CancelRequest | null): readonly Rationale[] {
  if (cancel === null) return [];
  const who = `${cancel.actor.kind} ${cancel.actor.subject}`;
  return [{ source: "cancel", text: cancel.rationale === null ? who : `${who}: ${cancel.rationale}` }];
}

function recordOf(ledger: RunLedger, { spec, plugin, isFinal }: PinnedStep): StepRecord {
  const ended = ledger.ended(spec.stepId);
  return stepRecord({
    stepId: spec.stepId,
    finally: isFinal,
    // Only a run that our own bug ended has steps that never came to an end.
    status: ended?.status ?? "cancelled",
    reason: ended === null ? "internal" : ended.reason,
    plugin: `${plugin.name}@${plugin.version}`,
    digest: plugin.sha256,
    items: ended?.items ?? null,
    outputsHash: ended?.outputsHash ?? null,
    attempts: ledger.outcomes.filter(({ stepId }) => stepId === spec.stepId),
  });
}
