import { type Hex, hexOf, type Sha256, type UtcText } from "../../base/index.ts";
import { compareText } from "../canonical-body.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { MerkleFrontier, merkleLeaf } from "../merkle-tree.ts";
import type { RecordCheck } from "../record-schema.ts";
import { inChainOrder } from "../seal-batch.ts";
import { type SegmentName, stepsPath } from "../segment-path.ts";
import type { FindingList } from "./audit-report.ts";
import { placeLines } from "./placement.ts";
import { type RecordDefect, recordDefect, type StepFile } from "./record-defect.ts";
import { type SegmentLine, segmentLines, textMember } from "./segment-line.ts";
import { type BatchState, type PlacedLine, TenantChain } from "./tenant-chain.ts";

export interface NewSegment {
  readonly path: string;
  readonly name: SegmentName;
  readonly bytes: Uint8Array;
}

/** What one commit added, already read. */
export interface BatchContent {
  readonly batch: number;
  readonly site: string;
  readonly segments: readonly NewSegment[];
  readonly stepFiles: readonly StepFile[];
  /** What the commit's checkpoint says, where the recorder signed it; else null. */
  readonly checkpoint: Checkpoint | null;
}

interface Doubt {
  readonly line: PlacedLine;
  readonly defect: RecordDefect;
}

interface Broken {
  readonly state: BatchState;
  readonly lastLines: readonly PlacedLine[];
}

/** The records of a site from its first batch on: chains, order, leaves. Findings name records. */
export class RecordCourse {
  readonly #sha256: Sha256;
  readonly #check: RecordCheck;
  readonly #findings: FindingList;
  readonly #chains = new Map<string, TenantChain>();
  readonly #frontier: MerkleFrontier;
  readonly #broken: Broken[] = [];
  #index = 0;
  #records = 0;
  #timestamp: UtcText | null = null;
  #rootLostIn: number | null = null;

  constructor({ sha256, check, findings }: { sha256: Sha256; check: RecordCheck; findings: FindingList }) {
    this.#sha256 = sha256;
    this.#check = check;
    this.#findings = findings;
    this.#frontier = new MerkleFrontier(sha256);
  }

  get records(): number {
    return this.#records;
  }

  /** The newest batch's timestamp. */
  get timestamp(): UtcText | null {
    return this.#timestamp;
  }

  get root(): Hex {
    return hexOf(this.#frontier.root());
  }

  /** The first batch whose root was not its checkpoint's: later roots prove nothing. */
  get rootLostIn(): number | null {
    return this.#rootLostIn;
  }

  get chains(): readonly TenantChain[] {
    return [...this.#chains.values()].sort((a, b) => compareText(a.tenant, b.tenant));
  }

  /** Takes the records of the next commit. */
  take(content: BatchContent): void {
    const state: BatchState = { batch: content.batch, anchored: false, named: 0 };
    const lines = this.#place(content, state);
    const timestamp = commonTimestamp(lines);
    this.#checkTime(content, timestamp);
    const doubts = this.#doubts(content, lines, timestamp);
    const rootMatches = this.#checkRoot(content, state);
    for (const doubt of doubts) this.#settleDoubt(doubt);
    this.#checkOrder(lines);
    for (const line of lines) this.#chainOf(line.tenant).link(line);
    if (!rootMatches) this.#broken.push({ state, lastLines: lines.filter((line) => this.#isLast(line)) });
    this.#timestamp = timestamp ?? this.#timestamp;
    this.#records += lines.length;
  }

  /** No more batches: answers what only a later record could have answered. */
  finish(): void {
    for (const chain of this.chains) chain.finish();
    for (const { state, lastLines } of this.#broken) {
      if (state.named === 0) this.#nameByElimination(state, lastLines);
    }
  }

  #chainOf(tenant: string): TenantChain {
    const blame = (line: PlacedLine, why: string): void => this.#name("AUDIT_TAMPERED", line, why);
    const chain = this.#chains.get(tenant) ?? new TenantChain(tenant, this.#sha256, blame);
    this.#chains.set(tenant, chain);
    return chain;
  }

  #name(code: "AUDIT_TAMPERED" | "AUDIT_GAP" | "AUDIT_ORDER", line: PlacedLine, why: string): void {
    line.state.named++;
    this.#findings.add(code, line, why);
  }

  #isLast(line: PlacedLine): boolean {
    return this.#chains.get(line.tenant)?.last === line;
  }

  /** Lines in leaf order, each with its place; leaves are taken in the order of the files. */
  #place({ segments }: BatchContent, state: BatchState): readonly PlacedLine[] {
    const all: PlacedLine[] = [];
    for (const { path, name, bytes } of segments.toSorted((a, b) => compareText(a.name.tenant, b.name.tenant))) {
      const { tenant, firstSeq } = name;
      const { lines, complete } = segmentLines(path, bytes, this.#sha256);
      if (!complete)
        this.#findings.add("AUDIT_TAMPERED", { tenant, path }, "the segment does not end with a whole line");
      const start = { seq: this.#chainOf(tenant).nextSeq, index: this.#index };
      const placement = placeLines(lines, start, firstSeq);
      const placed = (line: SegmentLine, seq: number): PlacedLine => ({ ...line, tenant, seq, state });
      for (const flaw of placement.flaws) this.#name(flaw.code, placed(flaw.line, flaw.seq), flaw.message);
      if (placement.foreignLeaves > 0) this.#missingLeaves({ tenant, path }, placement.foreignLeaves, state);
      if (placement.placed[0]?.seq !== firstSeq && placement.flaws.length === 0) {
        state.named++;
        this.#findings.add(
          "AUDIT_ORDER",
          { tenant, path },
          `the segment's name is not the seq of its first record, ${String(start.seq)}`,
        );
      }
      for (const { bytes: leaf } of lines) this.#frontier.append(merkleLeaf(leaf, this.#sha256));
      this.#index = placement.next.index;
      all.push(...placement.placed.map(({ line, seq }) => placed(line, seq)));
    }
    return all;
  }

  #missingLeaves(place: { tenant: string; path: string }, count: number, state: BatchState): void {
    state.named++;
    const records = count === 1 ? "a record" : `${String(count)} records`;
    this.#findings.add(
      "AUDIT_GAP",
      place,
      `${records} of the tenants before this one in batch ${String(state.batch)} are missing`,
    );
  }

  #checkTime({ batch, segments }: BatchContent, timestamp: UtcText | null): void {
    if (timestamp === null) return;
    if (this.#timestamp !== null && timestamp <= this.#timestamp) {
      this.#findings.add(
        "AUDIT_ORDER",
        {},
        `batch ${String(batch)} is of ${timestamp}, not later than ${this.#timestamp}`,
      );
    }
    const day = timestamp.slice(0, 10).replaceAll("-", "/");
    for (const { path, name } of segments) {
      if (name.day !== day)
        this.#findings.add("AUDIT_ORDER", { tenant: name.tenant, path }, `the segment is of ${timestamp}`);
    }
  }

  #doubts(content: BatchContent, lines: readonly PlacedLine[], timestamp: UtcText | null): readonly Doubt[] {
    const waiting = new Map(content.stepFiles.map((file) => [file.path, file]));
    const stepFile = (line: PlacedLine, runId: string): StepFile | null => {
      const path = timestamp === null ? "" : stepsPath(line.tenant, timestamp, runId);
      const file = waiting.get(path) ?? null;
      waiting.delete(path);
      return file;
    };
    const rules = { site: content.site, timestamp, check: this.#check, sha256: this.#sha256, stepFile };
    const doubts: Doubt[] = [];
    for (const line of lines) {
      const defect = recordDefect(line, rules);
      if (defect !== null) doubts.push({ line, defect });
    }
    for (const path of waiting.keys())
      this.#findings.add("AUDIT_FORMAT", { path }, "no record of the commit names this list of steps");
    return doubts;
  }

  /** In an anchored batch the recorder wrote it so; else somebody changed it. */
  #settleDoubt({ line, defect }: Doubt): void {
    if (defect.about === "steps") {
      this.#findings.add("AUDIT_TAMPERED", { tenant: line.tenant, seq: line.seq, path: defect.path }, defect.why);
    } else if (line.state.anchored) this.#findings.add("AUDIT_FORMAT", line, defect.why);
    else this.#name("AUDIT_TAMPERED", line, defect.why);
  }

  #checkRoot({ checkpoint, batch }: BatchContent, state: BatchState): boolean {
    if (checkpoint === null || this.#rootLostIn !== null) return true;
    if (checkpoint.size === this.#frontier.size && checkpoint.root === this.root) {
      state.anchored = true;
      return true;
    }
    this.#rootLostIn = batch;
    const missing = checkpoint.size - this.#index;
    if (missing > 0) {
      state.named++;
      this.#findings.add(
        "AUDIT_GAP",
        this.#endOfBatch(),
        `the checkpoint counts ${String(missing)} more at the end of batch ${String(batch)}`,
      );
    }
    this.#index = checkpoint.size;
    return false;
  }

  #endOfBatch(): { tenant: string; seq: number } | Record<string, never> {
    const chain = this.chains.at(-1);
    return this.#chains.size === 1 && chain !== undefined ? { tenant: chain.tenant, seq: chain.nextSeq } : {};
  }

  #checkOrder(lines: readonly PlacedLine[]): void {
    for (const [at, line] of lines.entries()) {
      const before = lines[at - 1];
      if (before?.tenant !== line.tenant || before.record === null || line.record === null) continue;
      if (inChainOrder(before.record, line.record) < 0) continue;
      if (line.state.anchored)
        this.#findings.add("AUDIT_FORMAT", line, "it is sorted before the record in front of it");
      else this.#name("AUDIT_ORDER", line, "it is sorted before the record in front of it");
    }
  }

  /** Records that a later one has seen are right; what is left are the last ones of their tenants. */
  #nameByElimination({ batch }: BatchState, lastLines: readonly PlacedLine[]): void {
    const open = lastLines.filter((line) => this.#isLast(line));
    const root = `the Merkle root of batch ${String(batch)} is not the one that the recorder signed`;
    const names = open.map(({ tenant, seq }) => `${tenant} ${String(seq)}`).join(", ");
    const why = open.length > 1 ? `${root}: one of ${names} was changed` : root;
    for (const line of open) this.#findings.add("AUDIT_TAMPERED", line, why);
    if (open.length === 0) this.#findings.add("AUDIT_TAMPERED", {}, why);
  }
}

/** The timestamp that most lines of a batch give: one changed line must not make all others look wrong. */
function commonTimestamp(lines: readonly PlacedLine[]): UtcText | null {
  const counts = new Map<string, number>();
  for (const { record } of lines) {
    const timestamp = textMember(record, "timestamp");
    if (timestamp !== null && isUtc(timestamp)) counts.set(timestamp, (counts.get(timestamp) ?? 0) + 1);
  }
  let best: UtcText | null = null;
  for (const [timestamp, count] of counts) {
    if (best === null || count > (counts.get(best) ?? 0)) best = timestamp;
  }
  return best;
}

const isUtc = (text: string): boolean => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text);
