import { canonicalText, Fault, inSlices, type UtcText, utcText } from "../base/index.ts";
import { sha256, sha256Hex } from "../base/node-digest.ts";
import { toOid } from "../git/index.ts";
import {
  changeSteps,
  isTenantNoop,
  type OutboxBody,
  pinnedBlobs,
  planSteps,
  reconcileFacts,
  Suspended,
  type TenantPlan,
  treesOf,
} from "../plan/index.ts";
import { type RecordApproval, reconcileSteps, unstartedRunBody } from "../record/index.ts";
import type { Actor } from "../run/index.ts";
import { overrideMark } from "../spec/index.ts";
import type { QueuedRunBody, TenantChange, TenantHead } from "../store/index.ts";
import type { VerifiedCommit } from "../trust/index.ts";
import { logHeld } from "./held-log.ts";
import type { DesiredReader, ReadTenant } from "./read/desired-reader.ts";
import type { ObservedTenants } from "./read/observed-tenants.ts";
import type { ReconcilerDeps, ReconcilerOptions } from "./reconciler-deps.ts";

export interface TenantTask {
  readonly tenant: string;
  /** Place among the site's tenants, from 1: stands in the record's id. */
  readonly n: number;
  readonly revision: string;
  readonly prunePercent: number;
  /** The newest commit of this pass; null where nothing is new. */
  readonly head: VerifiedCommit | null;
  /** Plan it even where its trees are those that were applied. */
  readonly full: boolean;
}

export interface TenantOutcome {
  /** null: clean, not even planned. */
  readonly plan: TenantPlan | null;
  readonly written: boolean;
}

const maxConflicts = 5;

/** observe -> plan -> apply of one tenant. A row that moved meanwhile starts it over, a few times. */
export async function reconcileTenant(
  room: ReconcileRoom,
  task: TenantTask,
  signal: AbortSignal,
): Promise<TenantOutcome> {
  for (let tries = 1; ; tries++) {
    try {
      return await passOnce(room, task, signal);
    } catch (error) {
      // What is known of it may be what went wrong.
      room.observed.forget(task.tenant);
      const moved = error instanceof Fault && error.disposition === "reobserve";
      if (!moved || tries >= maxConflicts) throw error;
      room.deps.log.info({ tenant: task.tenant, tries }, "another writer was first, observing again");
    }
  }
}

export interface ReconcileRoom {
  readonly deps: ReconcilerDeps;
  readonly options: ReconcilerOptions;
  readonly reader: DesiredReader;
  readonly observed: ObservedTenants;
}

async function passOnce(room: ReconcileRoom, task: TenantTask, signal: AbortSignal): Promise<TenantOutcome> {
  const { deps, reader } = room;
  const revision = toOid(task.revision);
  const now = utcText(deps.clock.now());
  const trees = reader.fingerprint(revision, task.tenant);
  // A commit to one tenant must not cost a reading of all rows of every other.
  const head = task.full ? await room.observed.read(task.tenant) : await deps.revision.observeHead(task.tenant);
  if (!task.full && isSettled(head, trees, now)) return { plan: null, written: false };
  const known = await room.observed.at(head);
  const clean = isClean(known, trees);
  const read = await reader.readTenant(revision, task.tenant, signal);
  const observed = await room.observed.withWatermarks(known, read.desired, now);
  const plan = await inSlices(planSteps(read.desired, observed, { ...task, now }), signal);
  if (isTenantNoop(plan)) return { plan, written: false };
  const actor = clean || task.head === null ? siteActor(room) : commitActor(task.head);
  const approvals = await keepApprovals(room, task, now);
  const change = await changeOf(room, task, { plan, read, actor, clean, approvals, signal });
  await deps.revision.applyTenant(change, endQueued(room, task, actor));
  room.observed.applied(observed, change);
  logHeld(deps.log, plan);
  return { plan, written: true };
}

/** The revision becomes the tenant's: records of its runs name what let it in, also where it waited at a brake. */
async function keepApprovals(
  { deps }: ReconcileRoom,
  { tenant, revision, head }: TenantTask,
  now: UtcText,
): Promise<readonly RecordApproval[]> {
  const approvals = head?.approvals ?? (await deps.revision.approvalsOf(siteTenant, [revision]));
  if (approvals.length > 0) await deps.revision.recordApprovals(tenant, [{ commit: revision, approvals }], now);
  return approvals;
}

/** Where facts of the whole site are kept. */
export const siteTenant = "_site";

/** It was applied from these very trees. */
const isClean = (
  { appliedRevision, fingerprint }: Pick<TenantHead, "appliedRevision" | "fingerprint">,
  trees: string,
): boolean => appliedRevision !== null && treesOf(fingerprint) === trees;

/** Clean, and neither a suspension nor an override of a quota began or ended since. */
function isSettled(head: TenantHead, trees: string, now: UtcText): boolean {
  const overrides = head.snapshot === null ? "" : overrideMark(head.snapshot.quota, new Date(now));
  const mark = overrides + new Suspended(head.suspensions, now).mark;
  return isClean(head, trees) && head.fingerprint === trees + mark && !head.isBlocked;
}

interface Planned {
  readonly plan: TenantPlan;
  readonly read: ReadTenant;
  readonly actor: Actor;
  /** The trees did not move: what is written heals drift. */
  readonly clean: boolean;
  /** That let the revision in. */
  readonly approvals: readonly RecordApproval[];
  readonly signal: AbortSignal;
}

async function changeOf(room: ReconcileRoom, task: TenantTask, planned: Planned): Promise<TenantChange> {
  const { plan, read } = planned;
  const now = utcText(room.deps.clock.now());
  const wanted = plan.blocked === null ? pinnedBlobs(plan.snapshot) : [];
  const missing = wanted.length === 0 ? [] : await room.deps.revision.missingBlobs(task.tenant, wanted);
  const blobs = missing.map((sha256) => {
    const bytes = read.content(sha256);
    if (bytes === null)
      throw new Fault(
        "REPO_CORRUPT",
        `content ${sha256.slice(0, 12)} of a pinned plugin or file is not in the revision`,
      );
    return { sha256, bytes };
  });
  const record = await recordOf(room, task, planned, now);
  return inSlices(changeSteps(plan, { now, blobs, pins: newPins(plan), record }), planned.signal);
}

/** Those of the snapshot before too: a site of an older release has kept none yet. */
function newPins({ observed, snapshot }: TenantPlan): TenantChange["pins"] {
  const manifests = new Map(Object.entries({ ...snapshot.plugins, ...observed.snapshot?.plugins }));
  return [...manifests].flatMap(([plugin, manifest]) =>
    plugin in observed.pins ? [] : [{ plugin, sha256: sha256Hex(canonicalText(manifest)) }],
  );
}

async function recordOf(
  { deps, options }: ReconcileRoom,
  task: TenantTask,
  { plan, actor, clean, approvals, signal }: Planned,
  now: string,
): Promise<OutboxBody | null> {
  const facts = reconcileFacts(plan, now, sha256);
  if (facts === null) return null;
  const { head } = task;
  const steps = reconcileSteps(
    {
      site: options.site,
      runtime: options.runtime,
      tenant: task.tenant,
      actor,
      rationale: head === null || clean ? [] : [{ source: "commit", text: subjectOf(deps, head) }],
      traceId: null,
      // A heal, or break-glass, happens at a revision that may have its record already.
      n: clean || head === null ? deps.clock.now().getTime() : task.n,
      verification: null,
      approvals: clean ? [] : approvals,
      ...facts,
    },
    sha256,
  );
  return inSlices(steps, signal);
}

/** Runs that wait while their DAG goes: they end now, on the word of the commit. */
function endQueued({ deps, options }: ReconcileRoom, task: TenantTask, actor: Actor): QueuedRunBody {
  const endedUtc = utcText(deps.clock.now());
  const bodyOf = unstartedRunBody(
    { site: options.site, runtime: options.runtime, endedUtc, class: "cancelled", code: "RUN_CANCELLED" },
    sha256,
  );
  const text = `the DAG was pruned or suspended at commit ${task.revision}`;
  return (run) => bodyOf({ ...run, actor, rationale: [...run.rationale, { source: "commit", text }] });
}

export const commitActor = ({ principal, fingerprint }: VerifiedCommit): Actor => ({
  kind: "commit",
  subject: principal ?? "unsigned",
  key: fingerprint,
});
export const siteActor = ({ options }: ReconcileRoom): Actor => ({ kind: "site", subject: options.site, key: null });

/** First line of the commit's message, as rationale. */
export function subjectOf(deps: Pick<ReconcilerDeps, "repository">, { oid }: VerifiedCommit): string {
  const [line = ""] = deps.repository.readCommit(toOid(oid)).message.split("\n");
  return line.slice(0, 200).replaceAll("\u0000", "").toWellFormed();
}
