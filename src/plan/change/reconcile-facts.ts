import { type Hex, hexDigestWith, type Sha256, type UtcText } from "../../base/index.ts";
import type { Activation, HeldDocument, ReconcileChange } from "../../record/index.ts";
import type { Finding } from "../../spec/index.ts";
import { newsOf } from "../held-news.ts";
import type { DagChange, DocumentChange, TenantPlan } from "../plan.ts";
import { isTenantNoop } from "../plan-changes.ts";
import { renamedSchedules, schedulesOf } from "./to-tenant-change.ts";

/** What the reconcile record of one tenant says (record/ makes the body). */
export interface ReconcileFacts {
  readonly from: string | null;
  readonly to: string;
  readonly changes: readonly ReconcileChange[];
  readonly held: readonly HeldDocument[];
  readonly activations: readonly Activation[];
}

/**
 * The facts of a plan for its record, null where nothing but the fingerprint or the pinned files and age files moved. `now` is that of
 * the change: a schedule is active from its watermark.
 */
export function reconcileFacts(plan: TenantPlan, now: UtcText, sha256: Sha256): ReconcileFacts | null {
  if (isTenantNoop(plan)) return null;
  const digest = hexDigestWith(sha256);
  const isNews = newsOf(plan);
  const dags =
    plan.blocked?.kind === "brake" || plan.blocked?.kind === "freeze"
      ? []
      : plan.dags.filter((c) => c.kind !== "hold" || isNews("Dag", c.dagId) !== null);
  const changes = [
    ...plan.documents.flatMap((change) => documentEntry(change, digest)),
    ...dags.map((change) => dagEntry(change)),
  ];
  if (changes.length === 0) return null;
  return {
    from: plan.observed.appliedRevision,
    to: plan.revision,
    changes,
    held: heldOf(plan),
    activations: plan.blocked === null ? plan.dags.flatMap((change) => activationsOf(change, now)) : [],
  };
}

function documentEntry(change: DocumentChange, digest: (text: string) => Hex): readonly ReconcileChange[] {
  // What `files` and age files are pinned to follows from the commit.
  if (change.document === "Files" || change.document === "Secrets") return [];
  return [
    {
      change: change.kind,
      kind: change.document,
      name: change.name,
      ...(change.from === null ? {} : { before: digest(change.from) }),
      ...(change.to === null ? {} : { after: digest(change.to) }),
    },
  ];
}

function dagEntry(change: DagChange): ReconcileChange {
  const entry = { change: change.kind, kind: "Dag", name: change.dagId } as const;
  if (change.kind === "hold") return { ...entry, ...(change.from === null ? {} : { before: change.from.specHash }) };
  if (change.kind === "prune") return { ...entry, before: change.from.specHash };
  const { specHash, armed, suspended } = change.to;
  const before = change.kind === "update" ? { before: change.from.specHash } : {};
  return { ...entry, ...before, after: specHash, armed, suspended };
}

function heldOf(plan: TenantPlan): readonly HeldDocument[] {
  const dags = plan.dags.flatMap((change) =>
    change.kind === "hold" ? [heldDocument(change.findings, change.path)] : [],
  );
  const documents = plan.documents.flatMap((change) => {
    const path = `tenants/${plan.tenant}/${change.document.toLowerCase()}.yaml`;
    return change.kind === "hold"
      ? [
          heldDocument(
            plan.findings.filter((f) => f.path === path),
            path,
          ),
        ]
      : [];
  });
  return [...documents, ...dags].flat();
}

function heldDocument(findings: readonly Finding[], path: string): readonly HeldDocument[] {
  const first = findings.find((finding) => finding.severity === "error");
  if (first === undefined) return [];
  return [{ path, code: first.code, ...(first.line === 0 ? {} : { line: first.line, col: first.col }) }];
}

// Armed by this change: with these every slot can be recomputed from the audit branch alone.
function activationsOf(change: DagChange, now: UtcText): readonly Activation[] {
  if (change.kind !== "create" && change.kind !== "update") return [];
  const { to } = change;
  if (!to.armed || to.suspended) return [];
  const watermarks = change.kind === "update" ? schedulesOf(to, change.from, now) : renamedSchedules(change, now);
  const activeFrom = new Map(watermarks.map((written) => [written.schedule, written.watermark]));
  return to.spec.schedules.map(({ name, timing, timezone }) => ({
    dagId: to.dagId,
    schedule: name,
    ...(timing.kind === "cron" ? { cron: timing.cron } : { every: timing.everyMs }),
    zone: timezone,
    activeFrom: activeFrom.get(name) ?? now,
  }));
}
