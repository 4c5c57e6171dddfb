import {
  bytesOfText,
  canonicalText,
  Fault,
  type Hex,
  hexDigestWith,
  hexOf,
  type JsonObject,
  type Sha256,
  type UtcText,
} from "../base/index.ts";
import { compareText, type RecordBody } from "./canonical-body.ts";
import { type Checkpoint, checkpointText } from "./checkpoint.ts";
import { type FrontierState, MerkleFrontier, merkleLeaf } from "./merkle-tree.ts";
import type { RecordRuntime } from "./record-head.ts";
import { segmentPath, stepsPath } from "./segment-path.ts";
import { type SkipBodyInput, skipBody } from "./site-bodies.ts";

/** A longer line moves its `steps` into a file of their own. */
export const maxLineBytes = 256 * 1024;

export interface SealInput {
  readonly site: string;
  /** One for the whole batch, later than the last batch's (batchTimestamp). */
  readonly timestamp: UtcText;
  /** The daemon's clock as read. */
  readonly clock: UtcText;
  readonly frontier: FrontierState;
  readonly bodies: readonly WaitingBody[];
  readonly skips: readonly Omit<SkipBodyInput, "site" | "runtime">[];
  /** Of every tenant that has a body or a skip. */
  readonly chains: readonly ChainEnd[];
  /** Of the recorder: skip records are its own. */
  readonly runtime: RecordRuntime;
}

export interface WaitingBody {
  readonly tenant: string;
  readonly bodyText: string;
  /** Replaces `count` of a denial's body; null = as it stands. */
  readonly count: number | null;
}

/** Where a tenant's chain ends, and the least slot that no record has yet (null = none). */
export interface ChainEnd {
  readonly tenant: string;
  readonly lastSeq: number;
  readonly lastLine: string | null;
  readonly horizon: UtcText | null;
}

export interface SealedBatch {
  readonly timestamp: UtcText;
  /** In leaf order: tenants in byte order, then seq. */
  readonly records: readonly SealedLine[];
  readonly segments: readonly SealedSegment[];
  readonly stepFiles: readonly SealedFile[];
  readonly frontier: FrontierState;
  readonly checkpoint: Checkpoint;
  readonly checkpointText: string;
}

export interface SealedLine {
  readonly tenant: string;
  readonly seq: number;
  readonly recordId: string;
  readonly timestamp: UtcText;
  /** Canonical JSON without LF. */
  readonly line: string;
}

export interface SealedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface SealedSegment extends SealedFile {
  readonly tenant: string;
  readonly firstSeq: number;
}

/** The batch's instant: the daemon's clock, but always later than the last batch. */
export function batchTimestamp(clock: Date, last: UtcText | null): UtcText {
  const floor = last === null ? Number.NEGATIVE_INFINITY : Date.parse(last) + 1;
  return new Date(Math.max(clock.getTime(), floor)).toISOString();
}

/**
 * Numbers, chains and hashes a batch. Total and deterministic: equal input gives equal bytes, whatever the order of
 * bodies. Faults INTERNAL where a body is not ours (no canonical JSON, another site or tenant, no chain for it).
 */
export function sealBatch(input: SealInput, sha256: Sha256): SealedBatch {
  const frontier = new MerkleFrontier(sha256, input.frontier);
  const records: SealedLine[] = [];
  const segments: SealedSegment[] = [];
  const stepFiles: SealedFile[] = [];
  for (const [tenant, bodies] of bodiesByTenant(input)) {
    const chain = input.chains.find((end) => end.tenant === tenant);
    if (chain === undefined) throw new Fault("INTERNAL", `no chain for tenant ${tenant} in the batch`);
    const sealed = sealTenant({ input, chain, bodies, firstIndex: frontier.size, sha256 });
    for (const { line } of sealed.lines) frontier.append(merkleLeaf(bytesOfText(line), sha256));
    records.push(...sealed.lines);
    stepFiles.push(...sealed.stepFiles);
    segments.push(segmentOf(sealed.lines, input.timestamp));
  }
  const checkpoint = { site: input.site, size: frontier.size, root: hexOf(frontier.root()) };
  return {
    timestamp: input.timestamp,
    records,
    segments,
    stepFiles,
    frontier: frontier.state,
    checkpoint,
    checkpointText: checkpointText(checkpoint),
  };
}

interface TenantInput {
  readonly input: SealInput;
  readonly chain: ChainEnd;
  readonly bodies: readonly JsonObject[];
  readonly firstIndex: number;
  readonly sha256: Sha256;
}

function sealTenant({ input, chain, bodies, firstIndex, sha256 }: TenantInput) {
  const digest = hexDigestWith(sha256);
  const { timestamp, clock } = input;
  const horizon = chain.horizon !== null && chain.horizon < timestamp ? chain.horizon : timestamp;
  const lines: SealedLine[] = [];
  const stepFiles: SealedFile[] = [];
  let prev: Hex = digest(chain.lastLine ?? "");
  for (const [at, body] of bodies.entries()) {
    const seq = chain.lastSeq + 1 + at;
    const whole = { ...body, seq, prev, timestamp, index: firstIndex + at, clock, horizon };
    const { line, steps } = withinLimit(whole);
    if (steps !== null)
      stepFiles.push({ path: stepsPath(chain.tenant, timestamp, textMember(body, "runId")), bytes: steps });
    lines.push({ tenant: chain.tenant, seq, recordId: textMember(body, "recordId"), timestamp, line });
    prev = digest(line);
  }
  return { lines, stepFiles };
}

/** The line, and the list that had to leave it. Only runs have one: other kinds are bounded by their builders. */
function withinLimit(record: JsonObject): { readonly line: string; readonly steps: Uint8Array | null } {
  const line = canonicalText(record);
  const steps = record["steps"];
  if (!Array.isArray(steps) || bytesOfText(line).length <= maxLineBytes) return { line, steps: null };
  const rest = Object.fromEntries(Object.entries(record).filter(([name]) => name !== "steps"));
  return { line: canonicalText(rest), steps: bytesOfText(steps.map((step) => `${canonicalText(step)}\n`).join("")) };
}

function segmentOf(lines: readonly SealedLine[], timestamp: UtcText): SealedSegment {
  const [first] = lines;
  if (first === undefined) throw new Fault("INTERNAL", "a segment without records");
  const path = segmentPath(first.tenant, timestamp, first.seq);
  const bytes = bytesOfText(lines.map(({ line }) => `${line}\n`).join(""));
  return { tenant: first.tenant, firstSeq: first.seq, path, bytes };
}

/** Tenants in byte order, each with its bodies in chain order. */
function bodiesByTenant(input: SealInput): readonly (readonly [string, readonly JsonObject[]])[] {
  const skips = input.skips.map((skip): RecordBody => skipBody({ ...skip, site: input.site, runtime: input.runtime }));
  const waiting = [...input.bodies, ...skips.map(({ tenant, bodyText }) => ({ tenant, bodyText, count: null }))];
  const byTenant = new Map<string, JsonObject[]>();
  for (const body of waiting) {
    const bodies = byTenant.get(body.tenant) ?? [];
    bodies.push(parsedBody(body, input.site));
    byTenant.set(body.tenant, bodies);
  }
  return [...byTenant]
    .sort(([a], [b]) => compareText(a, b))
    .map(([tenant, bodies]) => [tenant, bodies.sort(inChainOrder)]);
}

function parsedBody({ tenant, bodyText, count }: WaitingBody, site: string): JsonObject {
  const body = JSON.parse(bodyText) as JsonObject;
  if (body["site"] !== site || body["tenant"] !== tenant) {
    throw new Fault("INTERNAL", `a record body of another site or tenant waits in the outbox of ${tenant}`);
  }
  return count === null ? body : { ...body, count };
}

/** DESIGN law 4: with one timestamp a batch, chain order is (timestamp, dagId, runId); ties by record id. */
export function inChainOrder(a: JsonObject, b: JsonObject): number {
  return (
    compareText(sortMember(a, "dagId"), sortMember(b, "dagId")) ||
    compareText(sortMember(a, "runId"), sortMember(b, "runId")) ||
    compareText(sortMember(a, "recordId"), sortMember(b, "recordId"))
  );
}

/** Left out sorts as the empty string. */
function sortMember(record: JsonObject, name: string): string {
  const value = record[name];
  return typeof value === "string" ? value : "";
}

function textMember(record: JsonObject, name: string): string {
  const value = record[name];
  if (typeof value !== "string") throw new Fault("INTERNAL", `a record body without ${name}`);
  return value;
}
