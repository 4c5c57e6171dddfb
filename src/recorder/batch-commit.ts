import { Fault, withJitter } from "../base/index.ts";
import { type Ident, type Oid, toOid } from "../git/index.ts";
import { auditIdentName, auditPrincipal } from "../record/index.ts";
import type { PreparedBatch } from "../store/index.ts";
import { anchorRef, auditRef, type RecorderDeps } from "./recorder-deps.ts";

const maxBusyTries = 100;
const busyWaitMs = 50;

/**
 * Puts a prepared batch on the branch and marks it done: objects, ref, read back, database. Every step may be done
 * already; each is safe to do again. `AUDIT_FORKED` where the ref is neither at the batch nor at its parent.
 */
export async function commitBatch(
  deps: RecorderDeps,
  site: string,
  batch: PreparedBatch,
  signal: AbortSignal,
): Promise<void> {
  const { repository, writer, outbox } = deps;
  const commit = toOid(batch.commit);
  await writer.putObjects(batch.objects.map(({ type, body }) => ({ type, body: asBuffer(body) })));
  await swapAuditRef({ deps, site, batch, signal });
  await swapAnchor(deps, site, batch);
  // What the disk gives back counts, not what was handed to it: the database forgets the bodies now.
  if (repository.readRef(auditRef(site)) !== commit) throw forked(site, batch);
  for (const { type, body } of batch.objects) {
    if (type === "commit" && !repository.readObject(commit).body.equals(body)) throw forked(site, batch);
  }
  await outbox.seal(batch.batch, batch.records);
}

interface Swap {
  readonly deps: RecorderDeps;
  readonly site: string;
  readonly batch: PreparedBatch;
  readonly signal: AbortSignal;
}

async function swapAuditRef({ deps, site, batch, signal }: Swap): Promise<void> {
  const ref = auditRef(site);
  const next = toOid(batch.commit);
  const expected = batch.parent === null ? null : toOid(batch.parent);
  const change = { ref, expected, next, message: `audit: batch ${String(batch.batch)}`, ident: identOf(site, batch) };
  for (let tries = 0; tries < maxBusyTries; tries++) {
    if (deps.repository.readRef(ref) === next) return;
    const outcome = await deps.writer.compareAndSwapRef(change);
    if (outcome === "ok") return;
    if (outcome === "moved") throw forked(site, batch);
    await deps.clock.sleep(withJitter(busyWaitMs, deps.random), signal);
  }
  throw new Fault("REF_BUSY", `${ref} is locked by another program`);
}

/** Only keeps the head from gc; a lock in its way is tried again with the next batch. */
async function swapAnchor(deps: RecorderDeps, site: string, batch: PreparedBatch): Promise<void> {
  const ref = anchorRef(site);
  const next: Oid = toOid(batch.commit);
  const expected = deps.repository.readRef(ref);
  if (expected === next) return;
  const message = `audit: batch ${String(batch.batch)}`;
  const outcome = await deps.writer.compareAndSwapRef({ ref, expected, next, message, ident: identOf(site, batch) });
  if (outcome !== "ok") deps.log.warn({ ref, outcome }, "the anchor of the audit branch was not moved");
}

function identOf(site: string, { timestamp }: PreparedBatch): Ident {
  const seconds = Math.floor(Date.parse(timestamp) / 1000);
  return { name: auditIdentName, email: auditPrincipal(site), seconds, offset: "+0000" };
}

const forked = (site: string, { batch, commit }: PreparedBatch): Fault =>
  new Fault(
    "AUDIT_FORKED",
    `${auditRef(site)} was moved by somebody while batch ${String(batch)} (${commit}) was written`,
  );

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
