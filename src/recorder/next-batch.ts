import { bytesOfText, Fault, utcText } from "../base/index.ts";
import { sha256 } from "../base/node-digest.ts";
import { type Oid, toOid } from "../git/index.ts";
import {
  batchTimestamp,
  type FrontierState,
  MerkleFrontier,
  merkleLeaf,
  parseSegmentPath,
  recordLine,
  type SealedBatch,
  sealBatch,
} from "../record/index.ts";
import type { LastSigned, SignAnswer, SignRequest } from "../signer/index.ts";
import type { DrainedBatch, PreparedBatch, SealedRecord } from "../store/index.ts";
import type { RecorderDeps, RecorderOptions } from "./recorder-deps.ts";
import { touchedTrees } from "./touched-trees.ts";

/** Where the chain ends: the newest batch that is done. */
export type ChainHead = Pick<PreparedBatch, "batch" | "timestamp" | "commit" | "size" | "root" | "frontier">;

/** Half of what the signer takes: trees of the parent go with it. */
const maxBatchBytes = 16 * 1024 * 1024;

/** Drains, seals, signs and stores the next batch; null where nothing waits. */
export async function prepareNext(
  deps: RecorderDeps,
  options: RecorderOptions,
  last: ChainHead | null,
): Promise<PreparedBatch | null> {
  const clock = deps.clock.now();
  const batch = (last?.batch ?? 0) + 1;
  const limit = options.maxRecords;
  const drained = await deps.outbox.drain({ batch, limit, maxBytes: maxBatchBytes, now: utcText(clock) });
  if (drained.bodies.length + drained.skips.length === 0) return null;
  const sealed = sealBatch(sealInput(drained, { options, last, clock }), sha256);
  const request = signRequest(deps, sealed, { batch, last });
  const answer = await deps.signer.sign(request);
  const prepared = preparedBatch({ request, answer, frontier: sealed.frontier, records: sealed.records });
  await deps.outbox.prepare(prepared);
  return prepared;
}

/**
 * The answer of the signer was lost by a crash: the same request gives the same bytes, so nothing is drained again. What
 * the database had marked for this batch is what stands in its lines.
 */
export async function prepareAgain(
  deps: RecorderDeps,
  last: ChainHead | null,
  { request }: LastSigned,
): Promise<PreparedBatch> {
  const answer = await deps.signer.sign(request);
  const records = request.files.flatMap(sealedRecords).sort(byLeaf);
  const frontier = new MerkleFrontier(sha256, frontierOf(last));
  for (const { line } of records) frontier.append(merkleLeaf(bytesOfText(line), sha256));
  const prepared = preparedBatch({ request, answer, frontier: frontier.state, records });
  await deps.outbox.prepare(prepared);
  return prepared;
}

function sealInput(
  { bodies, skips, chains }: DrainedBatch,
  { options, last, clock }: { options: RecorderOptions; last: ChainHead | null; clock: Date },
) {
  const { site, runtime } = options;
  const timestamp = batchTimestamp(clock, last?.timestamp ?? null);
  return { site, runtime, timestamp, clock: utcText(clock), frontier: frontierOf(last), bodies, skips, chains };
}

const frontierOf = (last: ChainHead | null): FrontierState => ({ size: last?.size ?? 0, nodes: last?.frontier ?? [] });

function signRequest(
  deps: RecorderDeps,
  sealed: SealedBatch,
  { batch, last }: { batch: number; last: ChainHead | null },
): SignRequest {
  const files = [...sealed.segments, ...sealed.stepFiles].map(({ path, bytes }) => ({ path, bytes }));
  const parent: Oid | null = last === null ? null : toOid(last.commit);
  const paths = files.map(({ path }) => path);
  const parentTrees = touchedTrees(deps.repository, parent, [...paths, "keys/log.ndjson"]);
  const { size, root } = sealed.checkpoint;
  return { batch, timestamp: sealed.timestamp, parent, parentTrees, files, size, root };
}

interface Signed {
  readonly request: SignRequest;
  readonly answer: SignAnswer;
  readonly frontier: FrontierState;
  readonly records: readonly SealedRecord[];
}

function preparedBatch({ request, answer, frontier, records }: Signed): PreparedBatch {
  const { batch, timestamp, parent, size, root } = request;
  if (frontier.size !== size) throw new Fault("INTERNAL", `batch ${String(batch)} was signed over other records`);
  const objects = answer.objects.map(({ type, body }) => ({ type, body }));
  return {
    batch,
    timestamp,
    commit: answer.commit.oid,
    parent,
    objects,
    size,
    root,
    frontier: frontier.nodes,
    records,
  };
}

function sealedRecords({ path, bytes }: SignRequest["files"][number]): readonly SealedRecord[] {
  const name = parseSegmentPath(path);
  if (name === null) return [];
  const lines = new TextDecoder().decode(bytes).trimEnd().split("\n");
  return lines.map((line, at) => {
    const record = recordLine(line);
    const [recordId, timestamp] = [record?.["recordId"], record?.["timestamp"]];
    if (typeof recordId !== "string" || typeof timestamp !== "string")
      throw new Fault("INTERNAL", `${path} holds no record`);
    return { tenant: name.tenant, seq: name.firstSeq + at, recordId, timestamp, line };
  });
}

/** Tenants in byte order, then seq. */
function byLeaf(a: SealedRecord, b: SealedRecord): number {
  return Number(a.tenant > b.tenant) - Number(a.tenant < b.tenant) || a.seq - b.seq;
}
