import { codes, Fault, faultOf, inSlices, utcText } from "../base/index.ts";
import { sha256 } from "../base/node-digest.ts";
import { type Oid, toOid } from "../git/index.ts";
import type { Plan, TenantPlan } from "../plan/index.ts";
import { genesisBody, reconcileBody } from "../record/index.ts";
import type { ObservedSite } from "../store/index.ts";
import { type TrustWalk, trustSteps, type VerifiedCommit } from "../trust/index.ts";
import { recordDagVersions } from "./dag-versions.ts";
import type { SiteDocuments } from "./read/desired-reader.ts";
import { orUnreadable } from "./read/tenant-tree.ts";
import { trustReader } from "./read/trust-reader.ts";
import type { PassResult } from "./reconciler-deps.ts";
import { type SiteAge, siteAge } from "./site-age.ts";
import { checkSameSite, conditionReason, type SiteBlock, siteBlock, siteConditions } from "./site-state.ts";
import { commitActor, type ReconcileRoom, reconcileTenant, siteActor, siteTenant, subjectOf } from "./tenant-pass.ts";

/** Reasons of the admission gate that a pass owns. */
const gateReasons = ["SiteHeld", "SiteUnknown", "RecorderKeyUnknown", "Stale"] as const;

/** Whether a tenant is planned even where its trees are those that were applied. */
export type IsFull = (tenant: string) => boolean;

/**
 * One pass: resolve the ref once -> trust -> observe -> plan -> apply each tenant in one transaction -> move the verified
 * revision. Level, not edge: it depends on the ref and the store alone. A pass without changes writes nothing.
 */
export async function reconcileOnce(room: ReconcileRoom, isFull: IsFull, signal: AbortSignal): Promise<PassResult> {
  const { deps, options } = room;
  const observed = await deps.revision.observeSite();
  if (observed !== null) checkSameSite(observed, options);
  const head = deps.repository.readRef(options.specRef);
  if (head === null)
    return stall(room, observed, {
      code: "REF_MISSING",
      message: `${options.specRef} does not exist in ${deps.repository.path}`,
    });
  const steps = trustSteps({
    ...trustReader(deps.repository),
    verified: observed?.verifiedRevision == null ? null : { commit: observed.verifiedRevision },
    head,
    readCommit: (oid) => deps.repository.readCommit(toOid(oid)),
    pinnedSigners: options.pinnedSigners,
    now: deps.clock.now(),
    crypto: deps.crypto,
  });
  const walk = await inSlices(steps, signal);
  if (walk.verified === null)
    return stall(room, observed, walk.stalled ?? { code: "TRUST_FIRST_USE", message: "no commit is verified" });
  // Restored from before it, or replaced: what was applied runs on, and a person says where to go on from.
  if (walk.stalled !== null && !deps.repository.hasObject(toOid(walk.verified.oid)))
    return stall(room, observed, walk.stalled);
  if (observed === null) await createSite(room, walk);
  return applyRevision(room, { observed, walk, revision: walk.verified.oid, isFull }, signal);
}

interface Verified {
  readonly observed: ObservedSite | null;
  readonly walk: TrustWalk;
  readonly revision: string;
  readonly isFull: IsFull;
}

async function applyRevision(room: ReconcileRoom, verified: Verified, signal: AbortSignal): Promise<PassResult> {
  const { deps, options, reader } = room;
  const { observed, walk, revision } = verified;
  const documents = reader.readSite(toOid(revision), options.site);
  const block = siteBlock(documents, options.site, deps.recorderKey());
  const age = ageOf(room, documents, revision);
  setGate(room, block ?? age);
  if (block !== null) return holdSite(room, verified, documents, block);
  const known = observed?.tenants ?? [];
  const tenants = [...new Set([...documents.tenants, ...known])].sort();
  const commits = walk.newly.map(({ oid }) => oid);
  const approved = walk.newly.map(({ oid, approvals }) => ({ commit: oid, approvals }));
  const history = { verified: observed?.verifiedRevision ?? null, commits, approved, tenants: known };
  await recordDagVersions(room, history, signal);
  const { plans, applied } = await applyTenants(room, verified, { documents, tenants }, signal);
  const stalled =
    walk.stalled === null ? null : { reason: conditionReason(walk.stalled.code), message: walk.stalled.message };
  await moveSite(room, verified, { documents, tenants, why: stalled ?? age });
  return result({ revision, walk, stalled, documents, plans, applied, tenants });
}

/** What is too old still is applied: what came is the best that the site knows. */
function ageOf({ deps, options }: ReconcileRoom, { site }: SiteDocuments, revision: string): SiteAge | null {
  if (site === null) return null;
  const { committer } = deps.repository.readCommit(toOid(revision));
  return siteAge(options.site, site, committer.seconds, deps.clock.now());
}

function setGate({ deps }: ReconcileRoom, why: SiteBlock | SiteAge | null): void {
  const closing = why !== null && !("warns" in why && why.warns) ? why : null;
  for (const reason of gateReasons) if (reason !== closing?.reason) deps.gate.open(reason);
  if (closing !== null) deps.gate.close(closing.reason, closing.message);
}

/** Verified, but not for this site: nothing moves, nothing runs. */
async function holdSite(
  { deps, options }: ReconcileRoom,
  { observed, walk }: Verified,
  documents: SiteDocuments,
  block: SiteBlock,
): Promise<PassResult> {
  const revision = observed?.verifiedRevision ?? null;
  await deps.revision.reportSite(siteConditions(options.site, revision, block), utcText(deps.clock.now()));
  const tenants = observed?.tenants ?? [];
  return result({ revision, walk, stalled: block, documents, plans: [], applied: [], tenants });
}

interface SiteTenants {
  readonly documents: SiteDocuments;
  readonly tenants: readonly string[];
}

async function applyTenants(
  room: ReconcileRoom,
  { walk, revision, isFull }: Verified,
  { documents, tenants }: SiteTenants,
  signal: AbortSignal,
): Promise<{ readonly plans: readonly TenantPlan[]; readonly applied: readonly string[] }> {
  const plans: TenantPlan[] = [];
  const applied: string[] = [];
  let failure: unknown = null;
  for (const [i, tenant] of tenants.entries()) {
    signal.throwIfAborted();
    const task = {
      tenant,
      n: i + 1,
      revision,
      prunePercent: documents.repository.brakes.prunePercent,
      head: walk.newly.at(-1) ?? null,
      full: isFull(tenant),
    };
    try {
      const { plan, written } = await reconcileTenant(room, task, signal);
      if (plan !== null) plans.push(plan);
      if (written) applied.push(tenant);
    } catch (error) {
      // One broken tenant never stops another; the revision does not count as applied while one is missing.
      room.deps.log.warn({ tenant, revision, code: faultOf(error).code, error }, "a tenant could not be applied");
      failure ??= error;
    }
  }
  if (failure !== null) throw faultOf(failure);
  return { plans, applied };
}

async function moveSite(
  { deps, options }: ReconcileRoom,
  { observed, walk, revision }: Verified,
  site: SiteTenants & { readonly why: PassResult["stalled"] | SiteAge },
): Promise<void> {
  const now = utcText(deps.clock.now());
  const conditions = siteConditions(options.site, revision, site.why);
  const from = observed?.verifiedRevision ?? null;
  if (from === revision) {
    await deps.revision.reportSite(conditions, now);
    return;
  }
  const signer = walk.newly.at(-1) ?? null;
  const record = reconcileBody(
    {
      site: options.site,
      runtime: options.runtime,
      tenant: "_site",
      actor: signer === null ? { kind: "site", subject: options.site, key: null } : commitActor(signer),
      rationale: signer === null ? [] : [{ source: "commit", text: subjectOf(deps, signer) }],
      traceId: null,
      n: 0,
      from,
      to: revision,
      changes: [],
      held: [],
      activations: [],
      verification: verificationOf(site.documents, walk, signer),
      approvals: approvalsOf(walk),
    },
    sha256,
  );
  const approved = walk.newly.flatMap(({ oid, approvals }) =>
    approvals.length === 0 ? [] : [{ commit: oid, approvals }],
  );
  if (approved.length > 0) await deps.revision.recordApprovals(siteTenant, approved, now);
  await deps.revision.applySite({ from, to: revision, tenants: site.tenants, record, conditions, now });
}

/** Of every commit of this step, each once, by sha256. */
function approvalsOf({ newly }: TrustWalk): VerifiedCommit["approvals"] {
  const all = new Map(
    newly.flatMap(({ approvals }) => approvals.map((approval) => [approval.sha256, approval] as const)),
  );
  return [...all.values()].sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
}

function verificationOf({ repository }: SiteDocuments, walk: TrustWalk, signer: VerifiedCommit | null) {
  const warnings = walk.newly.flatMap((commit) => commit.warnings.map((text) => text.split(":")[0] ?? text));
  return {
    mode: repository.trust.commits,
    commits: walk.newly.length,
    ...(signer?.principal == null ? {} : { principal: signer.principal }),
    ...(signer?.fingerprint == null ? {} : { key: signer.fingerprint }),
    ...(warnings.length === 0 ? {} : { findings: [...new Set(warnings)].sort() }),
  };
}

async function createSite(room: ReconcileRoom, walk: TrustWalk): Promise<void> {
  const { deps, options } = room;
  const { trustedBy, signersSha256 } = walk;
  if (trustedBy === null || signersSha256 === null) throw new Fault("INTERNAL", "the first walk names no trust");
  const { site, specRef, runtime } = options;
  const record = genesisBody({ site, specRef, signersSha256, trustedBy, runtime });
  await deps.revision.createSite({ site, specRef, signersSha256, trustedBy, record, now: utcText(deps.clock.now()) });
  deps.log.info({ site, trustedBy, signersSha256, actor: siteActor(room).subject }, "the site begins here");
}

/** What was applied runs on while the branch is not followed, so its own documents say whether this site may run. */
function judgeStanding(room: ReconcileRoom, revision: Oid): void {
  const { reader, options, deps } = room;
  const judged = orUnreadable(revision, () => {
    const documents = reader.readSite(revision, options.site);
    const block = siteBlock(documents, options.site, deps.recorderKey());
    return { why: block ?? ageOf(room, documents, revision) };
  });
  // Its objects are gone with the ref: what was judged before stands.
  if (!("code" in judged)) setGate(room, judged.why);
}

async function stall(
  room: ReconcileRoom,
  observed: ObservedSite | null,
  { code, message }: { readonly code: keyof typeof codes; readonly message: string },
): Promise<PassResult> {
  const { deps, options } = room;
  const stalled = { reason: conditionReason(code), message };
  const revision = observed?.verifiedRevision ?? null;
  if (revision !== null) judgeStanding(room, toOid(revision));
  // Before the first revision there is no site row that could hold a condition.
  if (observed !== null)
    await deps.revision.reportSite(siteConditions(options.site, revision, stalled), utcText(deps.clock.now()));
  return result({
    revision,
    walk: null,
    stalled,
    documents: null,
    plans: [],
    applied: [],
    tenants: observed?.tenants ?? [],
  });
}

interface ResultParts {
  readonly revision: string | null;
  readonly walk: TrustWalk | null;
  readonly stalled: PassResult["stalled"];
  readonly documents: SiteDocuments | null;
  readonly plans: readonly TenantPlan[];
  readonly applied: readonly string[];
  readonly tenants: readonly string[];
}

function result(parts: ResultParts): PassResult {
  const findings = [...(parts.documents?.findings ?? []), ...parts.plans.flatMap((plan) => plan.findings)];
  const plan: Plan = {
    revision: parts.revision ?? "",
    tenants: parts.plans,
    findings,
    complete: !findings.some(({ severity }) => severity === "error"),
    applyable: parts.applied.length > 0,
  };
  return {
    revision: parts.revision,
    newly: parts.walk?.newly ?? [],
    stalled: parts.stalled,
    plan,
    applied: parts.applied,
    tenants: parts.tenants,
  };
}
