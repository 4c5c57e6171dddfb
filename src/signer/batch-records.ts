import {
  bytesOfText,
  canonicalText,
  Fault,
  type Hex,
  hexDigestWith,
  hexOf,
  type JsonObject,
  parseCanonical,
} from "../base/index.ts";
import { sha256 } from "../base/node-digest.ts";
import {
  type FrontierState,
  inChainOrder,
  MerkleFrontier,
  maxLineBytes,
  merkleLeaf,
  parseSegmentPath,
  recordSchemaName,
  segmentPath,
  stepsPath,
} from "../record/index.ts";
import type { SignedFile, SignRequest } from "./sign-request.ts";
import type { SignedChain, SignedHead } from "./signed-head.ts";

/** What the records of a batch make of the head. */
export interface CheckedRecords {
  readonly count: number;
  readonly frontier: FrontierState;
  readonly root: Hex;
  readonly chains: readonly SignedChain[];
}

interface Segment {
  readonly tenant: string;
  readonly file: SignedFile;
}

const digest = hexDigestWith(sha256);
export const refusal = (reason: string): Fault => new Fault("SIGNER_REFUSED", `the signer refused: ${reason}`);

/** Checks every line of every segment against the head, and that each step list is bound by a record of the batch. */
export function checkRecords(site: string, head: SignedHead, request: SignRequest): CheckedRecords {
  const { segments, others } = sortedFiles(request.files);
  const frontier = new MerkleFrontier(sha256, head.frontier);
  const chains = new Map(head.chains.map((chain) => [chain.tenant, chain]));
  const stepLists = new Map<string, Hex>();
  for (const { tenant, file } of segments) {
    const start = chains.get(tenant) ?? { tenant, seq: 0, prev: digest("") };
    if (file.path !== segmentPath(tenant, request.timestamp, start.seq + 1)) {
      throw refusal(`${file.path} is not where the next segment of ${tenant} belongs`);
    }
    chains.set(tenant, checkSegment({ site, request, file, start, frontier, stepLists }));
  }
  checkStepLists(others, stepLists);
  const root = hexOf(frontier.root());
  if (request.size !== frontier.size || request.root !== root) {
    throw refusal(`size ${request.size} and root ${request.root} are not those of the records`);
  }
  const count = frontier.size - head.frontier.size;
  return { count, frontier: frontier.state, root, chains: [...chains.values()].sort(byTenant) };
}

function sortedFiles(files: readonly SignedFile[]): { segments: readonly Segment[]; others: readonly SignedFile[] } {
  const segments: Segment[] = [];
  const others: SignedFile[] = [];
  for (const file of files) {
    const name = parseSegmentPath(file.path);
    if (name === null) others.push(file);
    else if (segments.some(({ tenant }) => tenant === name.tenant)) throw refusal(`two segments of ${name.tenant}`);
    else segments.push({ tenant: name.tenant, file });
  }
  if (segments.length === 0) throw refusal("a batch without records");
  // Leaf order: tenants in byte order.
  return { segments: segments.sort(byTenant), others };
}

/** Tenant ids are ASCII, so UTF-16 order is byte order. */
const byTenant = (a: { readonly tenant: string }, b: { readonly tenant: string }): number =>
  Number(a.tenant > b.tenant) - Number(a.tenant < b.tenant);

interface SegmentCase {
  readonly site: string;
  readonly request: SignRequest;
  readonly file: SignedFile;
  readonly start: SignedChain;
  readonly frontier: MerkleFrontier;
  /** Filled: path and hash of every list that a record moved out. */
  readonly stepLists: Map<string, Hex>;
}

function checkSegment({ site, request, file, start, frontier, stepLists }: SegmentCase): SignedChain {
  let { seq, prev } = start;
  let before: JsonObject | null = null;
  for (const line of linesOf(file)) {
    seq++;
    const record = recordOf(line, `${file.path}, seq ${seq}`);
    const envelope = { seq, prev, index: frontier.size, timestamp: request.timestamp };
    const wanted = { schema: recordSchemaName, site, tenant: start.tenant, ...envelope };
    for (const [member, value] of Object.entries(wanted)) {
      if (record[member] !== value) throw refusal(`${file.path}, seq ${seq}: ${member} is not ${value}`);
    }
    if (before !== null && inChainOrder(before, record) > 0) throw refusal(`${file.path}, seq ${seq} is out of order`);
    noteStepList(record, request, stepLists);
    frontier.append(merkleLeaf(bytesOfText(line), sha256));
    prev = digest(line);
    before = record;
  }
  return { tenant: start.tenant, seq, prev };
}

function linesOf({ path, bytes }: SignedFile): readonly string[] {
  const text = textOf(path, bytes);
  if (!text.endsWith("\n") || text === "\n") throw refusal(`${path} does not end with a whole line`);
  return text.slice(0, -1).split("\n");
}

function textOf(path: string, bytes: Uint8Array): string {
  try {
    // A BOM would be dropped by the decoder, and the bytes signed would not be the bytes checked.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refusal(`${path} is not UTF-8`);
  }
}

function recordOf(line: string, where: string): JsonObject {
  if (Buffer.byteLength(line) > maxLineBytes) throw refusal(`${where}: line over 256 KiB`);
  const value = parseCanonical(line)?.value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw refusal(`${where} is no canonical JSON object`);
  }
  return value as JsonObject;
}

function noteStepList(record: JsonObject, { timestamp }: SignRequest, stepLists: Map<string, Hex>): void {
  const { stepsHash, runId, tenant, steps } = record;
  if (steps !== undefined || typeof stepsHash !== "string") return;
  if (typeof runId !== "string" || typeof tenant !== "string") throw refusal("a record has stepsHash but no run");
  stepLists.set(stepsPath(tenant, timestamp, runId), stepsHash);
}

function checkStepLists(files: readonly SignedFile[], wanted: ReadonlyMap<string, Hex>): void {
  for (const { path, bytes } of files) {
    const stepsHash = wanted.get(path);
    if (stepsHash === undefined) throw refusal(`${path} is no segment, and no record of the batch names it`);
    const text = textOf(path, bytes);
    const lines = text.slice(0, -1).split("\n");
    const list = parseCanonical(`[${lines.join(",")}]`)?.value;
    if (!text.endsWith("\n") || list === undefined || digest(canonicalText(list)) !== stepsHash) {
      throw refusal(`${path} is not the list that its record binds`);
    }
  }
  if (new Set(files.map(({ path }) => path)).size !== wanted.size) throw refusal("a step list is missing");
}
