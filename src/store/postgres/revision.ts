import { canonicalText, Fault } from "../../base/index.ts";
import { sha256Hex } from "../../base/node-digest.ts";
import type { Database, Row, Session } from "../../database/index.ts";
import { pinnedBlobs } from "../../plan/index.ts";
import { decodeSnapshot } from "../../spec/index.ts";
import type { ObservedSite, ObservedTenant, RevisionStore, TenantChange, TenantHead } from "../revision-store.ts";
import { insertApprovals, readApprovals } from "./approvals.ts";
import { hashBytes, hexOfBytes } from "./column-codec.ts";
import { readConditions, replaceConditions, writeConditions } from "./conditions.ts";
import { readCurrentGrants } from "./current-grants.ts";
import { insertVersions, writeDags } from "./dag-writes.ts";
import { insertEvents } from "./events.ts";
import { readDags, readSchedules } from "./observed-dags.ts";
import { insertBody } from "./outbox-row.ts";
import { insertPins, readPins } from "./plugin-pins.ts";
import { endQueuedRuns, lockTenant, promote } from "./queued-runs.ts";
import { acceptHistory, applySite, createSite, noteTenant, observeSite, siteTenant } from "./site.ts";
import { readSuspensions } from "./suspensions.ts";
import { writeQuota } from "./tenant-quota.ts";

export function createRevisionStore(database: Database): RevisionStore {
  return {
    observeSite: (): Promise<ObservedSite | null> => database.withTenant(siteTenant, observeSite),
    createSite: (site) => database.withTenant(siteTenant, (session) => createSite(session, site)),
    applySite: (change) => database.withTenant(siteTenant, (session) => applySite(session, change)),
    acceptHistory: (change) => database.withTenant(siteTenant, (session) => acceptHistory(session, change)),
    reportSite: (conditions, now) =>
      database.withTenant(siteTenant, (session) => replaceConditions(session, siteTenant, conditions, now)),
    observeTenant: (tenant) => database.withTenant(tenant, (session) => observeTenant(session, tenant)),
    observeSchedules: (tenant, dagIds, beyond) =>
      database.withTenant(tenant, (session) => readSchedules(session, tenant, { dagIds, beyond })),
    observeHead: (tenant) => database.withTenant(tenant, (session) => observeHead(session, tenant)),
    applyTenant: (change, endQueued) =>
      database.withTenant(change.tenant, async (session) => {
        await guardTenant(session, change);
        await writeTenant(session, change);
        await insertPins(session, change);
        await writeDags(session, change);
        await writeConditions(session, change.tenant, change.conditions, change.now);
        if (change.record !== null) await insertBody(session, change.tenant, change.record);
        await insertEvents(session, change.tenant, change);
        const over = { where: "(d.pruned or d.suspended or $1)", values: [change.suspended] };
        await endQueuedRuns(session, over, { tenant: change.tenant, bodyOf: endQueued, now: change.now });
        await promote(session, change.tenant, change.now);
        if (change.from === null) await noteTenant(session, change.tenant);
      }),
    recordVersions: (tenant, versions, now) =>
      database.withTenant(tenant, (session) => insertVersions(session, tenant, { versions, now })),
    recordApprovals: (tenant, approved, now) =>
      database.withTenant(tenant, (session) => insertApprovals(session, tenant, { approved, now })),
    approvalsOf: (tenant, commits) => database.withTenant(tenant, (session) => readApprovals(session, tenant, commits)),
    missingBlobs: (tenant, sha256) => database.withTenant(tenant, (session) => missingBlobs(session, tenant, sha256)),
    currentGrants: (tenant, known) =>
      database.withTenant(tenant, (session) => readCurrentGrants(session, tenant, known)),
    readBlob: (tenant, sha256) => database.withTenant(tenant, (session) => readBlob(session, tenant, sha256)),
  };
}

async function missingBlobs(session: Session, tenant: string, sha256: readonly string[]): Promise<readonly string[]> {
  const rows = await session.query<{ sha256: Buffer }>({
    text: "select sha256 from blob where tenant_id = $1 and sha256 = any ($2::bytea[])",
    values: [tenant, sha256.map(hashBytes)],
  });
  const held = new Set(rows.map((row) => hexOfBytes(row.sha256)));
  return sha256.filter((hex) => !held.has(hex));
}

async function readBlob(session: Session, tenant: string, sha256: string): Promise<Buffer | null> {
  const [row] = await session.query<{ bytes: Buffer }>({
    name: "read_blob",
    text: "select bytes from blob where tenant_id = $1 and sha256 = $2",
    values: [tenant, hashBytes(sha256)],
  });
  return row?.bytes ?? null;
}

interface TenantRow extends Row {
  readonly applied_revision: string | null;
  readonly generation: number;
  readonly fingerprint: string | null;
  readonly suspended: boolean;
  readonly snapshot: Buffer | null;
  readonly blocked: boolean;
}

async function observeTenant(session: Session, tenant: string): Promise<ObservedTenant & TenantHead> {
  return {
    ...(await observeHead(session, tenant)),
    pins: await readPins(session, tenant),
    dags: await readDags(session, tenant),
    conditions: await readConditions(session, tenant),
  };
}

async function observeHead(session: Session, tenant: string): Promise<TenantHead> {
  const [row] = await session.query<TenantRow>({
    text: `select applied_revision, generation, fingerprint, suspended, snapshot, exists (
        select 1 from condition c where c.tenant_id = t.tenant_id and c.kind = 'Tenant' and c.type = 'Stalled'
          and c.status = 'True' and c.reason in ('TenantHeld', 'PruneBrake', 'Frozen')) as blocked
      from tenant t where tenant_id = $1`,
    values: [tenant],
  });
  const suspensions = await readSuspensions(session, tenant);
  if (row === undefined) return { ...neverSeen, tenant, suspensions };
  const snapshot = row.snapshot === null ? null : await readBlob(session, tenant, hexOfBytes(row.snapshot));
  return {
    tenant,
    appliedRevision: row.applied_revision,
    generation: row.generation,
    fingerprint: row.fingerprint,
    suspended: row.suspended,
    snapshot: snapshot === null ? null : decodeSnapshot(snapshot.toString("utf8")),
    suspensions,
    isBlocked: row.blocked,
  };
}

/** A tenant without a row. */
const neverSeen = {
  ...{ appliedRevision: null, generation: 0, fingerprint: null, suspended: false },
  ...{ snapshot: null, isBlocked: false },
} as const;

/** The tenant's row exists and is locked, and stands where the plan saw it. */
async function guardTenant(session: Session, { tenant, from, generation, quota }: TenantChange): Promise<void> {
  if (from === null) {
    await session.query({
      // The limits are written by `writeTenant`, in this transaction.
      text: "insert into tenant (tenant_id, weight, max_runs, max_queued) values ($1, $2, $3, $4) on conflict do nothing",
      values: [tenant, quota.weight, quota.runs.maxConcurrent, quota.runs.maxQueued],
    });
  }
  await lockTenant(session, tenant);
  const [row] = await session.query<Pick<TenantRow, "applied_revision" | "generation">>({
    text: "select applied_revision, generation from tenant where tenant_id = $1",
    values: [tenant],
  });
  if (row?.applied_revision !== from || row.generation !== generation) {
    throw new Fault("STORE_CONFLICT", "another writer applied the tenant first", { fields: { tenant } });
  }
}

async function writeTenant(session: Session, change: TenantChange): Promise<void> {
  const { tenant } = change;
  const snapshot = Buffer.from(canonicalText(change.snapshot));
  const snapshotHash = sha256Hex(snapshot);
  for (const blob of [...change.blobs, { sha256: snapshotHash, bytes: snapshot }]) {
    if (sha256Hex(blob.bytes) !== blob.sha256) throw new Fault("INTERNAL", "a blob does not have its digest");
    await session.query({
      text: "insert into blob (tenant_id, sha256, bytes) values ($1, $2, $3) on conflict do nothing",
      values: [tenant, hashBytes(blob.sha256), blob.bytes],
    });
  }
  // The plan saw blobs that a sweep may have taken before this transaction held the tenant's row.
  const missing = await missingBlobs(session, tenant, pinnedBlobs(change.snapshot));
  if (missing.length > 0)
    throw new Fault("STORE_CONFLICT", "blobs of the plan are not there any more", { fields: { tenant } });
  await session.query({
    text: `update tenant set suspended = $2, applied_revision = $3, fingerprint = $4, snapshot = $5,
        generation = generation + 1 where tenant_id = $1`,
    values: [tenant, change.suspended, change.to, change.fingerprint, hashBytes(snapshotHash)],
  });
  await writeQuota(session, change);
}
