import { inSlices, utcText } from "../base/index.ts";
import type { CommitApprovals, DagVersion } from "../store/index.ts";
import { type IntroducedDag, introducedDags } from "./read/introduced-dags.ts";
import type { ReconcileRoom } from "./tenant-pass.ts";

export interface NewHistory {
  /** The revision that was verified before; null on the site's first. */
  readonly verified: string | null;
  /** Commits that are verified since, oldest first. */
  readonly commits: readonly string[];
  /** What let them in, where something had to. */
  readonly approved: readonly CommitApprovals[];
  /** Tenants that ever ran here. */
  readonly tenants: readonly string[];
}

/** So many documents in memory and in one transaction. */
const chunkSize = 256;

/**
 * Keeps every version of every Dag that new commits brought in, with the commit that brought it first, before anything of
 * them is applied. So a record's dagVersion names the same commit however many arrive at once, also where a spec comes
 * back that stood only between two pushes, or was held when it came.
 */
export async function recordDagVersions(room: ReconcileRoom, history: NewHistory, signal: AbortSignal): Promise<void> {
  const { repository } = room.deps;
  const { verified, commits, tenants } = history;
  if (commits.length === 0) return;
  const part = { base: verified, commits, site: room.options.site, tenants };
  const introduced = await inSlices(introducedDags(repository, part), signal);
  const seen = new Set<string>();
  for (let at = 0; at < introduced.length; at += chunkSize) {
    const versions = await decoded(room, introduced.slice(at, at + chunkSize), signal);
    for (const [tenant, own] of byTenant(versions.filter((version) => isFirst(seen, version))))
      await recordTenant(room, tenant, own, history.approved);
  }
}

async function recordTenant(
  { deps: { revision, clock } }: ReconcileRoom,
  tenant: string,
  versions: readonly DagVersion[],
  approved: readonly CommitApprovals[],
): Promise<void> {
  const now = utcText(clock.now());
  const brought = new Set(versions.map(({ commit }) => commit));
  const own = approved.filter(({ commit }) => brought.has(commit));
  // Before the versions: a run of one must find what let its commit in.
  if (own.length > 0) await revision.recordApprovals(tenant, own, now);
  await revision.recordVersions(tenant, versions, now);
}

type TenantVersion = DagVersion & { readonly tenant: string };

async function decoded(
  { reader }: ReconcileRoom,
  dags: readonly IntroducedDag[],
  signal: AbortSignal,
): Promise<readonly TenantVersion[]> {
  const answers = await reader.decode(
    dags.map(({ path, blob }) => ({ path, oid: blob })),
    signal,
  );
  return dags.flatMap(({ tenant, dagId, commit }, i) => {
    const answer = answers[i];
    if (answer?.ok !== true) return [];
    const { specHash, specText } = answer.document;
    return [{ tenant, dagId, specHash, specText, commit }];
  });
}

function isFirst(seen: Set<string>, { tenant, dagId, specHash }: TenantVersion): boolean {
  const key = `${tenant}/${dagId}/${specHash}`;
  return !seen.has(key) && seen.add(key).has(key);
}

function byTenant(versions: readonly TenantVersion[]): ReadonlyMap<string, readonly DagVersion[]> {
  const groups = new Map<string, DagVersion[]>();
  for (const version of versions) {
    const group = groups.get(version.tenant);
    if (group === undefined) groups.set(version.tenant, [version]);
    else group.push(version);
  }
  return groups;
}
