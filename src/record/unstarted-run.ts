import { type ErrorClass, hexDigestWith, type Sha256, type UtcText } from "../base/index.ts";
import { runOutputsHashOf } from "../run/index.ts";
import { effectiveDag, type TenantSnapshot } from "../spec/index.ts";
import type { RecordRuntime } from "./record-head.ts";
import { type RunFacts, runBody, stepRecord } from "./run-body.ts";
import type { RecordApproval } from "./run-record.ts";

/** A queued run as the store hands it over. */
export interface UnstartedRun extends RunFacts {
  readonly specText: string;
  /** Canonical text of the TenantSnapshot that the run was pinned to. */
  readonly snapshotText: string;
  readonly approvals: readonly RecordApproval[];
}

export interface UnstartedEnd {
  readonly site: string;
  readonly runtime: RecordRuntime;
  readonly endedUtc: UtcText;
  readonly class: ErrorClass;
  readonly code: string;
}

/** The record of a run that was cancelled before it ran: every step of its spec stands in it as cancelled. */
export function unstartedRunBody(
  end: UnstartedEnd,
  sha256: Sha256,
): (run: UnstartedRun) => { readonly recordId: string; readonly bodyText: string; readonly outputsHash: string } {
  return (run) => {
    const dag = effectiveDag(run.specText);
    const { plugins } = JSON.parse(run.snapshotText) as TenantSnapshot;
    const steps = [...dag.steps, ...dag.finally].map((step) => {
      const plugin = `${step.uses.name}@${step.uses.version}`;
      return stepRecord({
        stepId: step.stepId,
        finally: dag.finally.includes(step),
        status: "cancelled",
        reason: null,
        plugin,
        digest: plugins[plugin]?.sha256 ?? hexDigestWith(sha256)(""),
        items: null,
        outputsHash: null,
        attempts: [],
      });
    });
    const outputsHash = runOutputsHashOf(Object.fromEntries(dag.steps.map(({ stepId }) => [stepId, null])), sha256);
    const body = runBody(
      {
        site: end.site,
        run,
        status: "cancelled",
        class: end.class,
        code: end.code,
        startedUtc: null,
        endedUtc: end.endedUtc,
        outputsHash,
        replayToken: null,
        runtime: end.runtime,
        deterministic: true,
        steps,
        approvals: run.approvals,
      },
      sha256,
    );
    return { ...body, outputsHash };
  };
}
