import { bytesOfText, type Hex, hexOf, type Sha256 } from "../../base/index.ts";
import { type SegmentLine, textMember } from "./segment-line.ts";

/** What is known of the batch that a line stands in. */
export interface BatchState {
  /** The n-th commit, from 1. */
  readonly batch: number;
  /** Its Merkle root is the one of a checkpoint that the recorder signed: none of its lines was changed. */
  anchored: boolean;
  /** Findings that name a record of it. */
  named: number;
}

/** A line with the place that it holds, whatever its own members say. */
export interface PlacedLine extends SegmentLine {
  readonly tenant: string;
  readonly seq: number;
  readonly state: BatchState;
}

interface BrokenLink {
  readonly from: PlacedLine;
  readonly to: PlacedLine;
}

/**
 * A tenant's chain of `prev`. A broken link says that one of two lines was changed; which one, the next link tells:
 *
 *     a -/- b --- c    a was changed (b is what c has seen)
 *     a -/- b -/- c    b's `prev` alone was changed, if b with the right one is what c has seen; else a, and b too
 */
export class TenantChain {
  readonly tenant: string;
  records = 0;
  nextSeq = 1;
  last: PlacedLine | null = null;
  readonly #sha256: Sha256;
  readonly #blame: (line: PlacedLine, why: string) => void;
  #broken: BrokenLink | null = null;

  constructor(tenant: string, sha256: Sha256, blame: (line: PlacedLine, why: string) => void) {
    this.tenant = tenant;
    this.#sha256 = sha256;
    this.#blame = blame;
  }

  /** Takes the next line in seq order; a jump of seq cuts the chain. */
  link(line: PlacedLine): void {
    const { last } = this;
    const adjacent = last === null ? line.seq === 1 : line.seq === last.seq + 1;
    const prev = textMember(line.record, "prev");
    if (!adjacent || prev === null) this.#settle();
    else if (last === null) this.#first(line, prev);
    else if (prev === last.hash) this.#settle();
    else this.#mismatch({ from: last, to: line }, prev);
    this.last = line;
    this.nextSeq = line.seq + 1;
    this.records++;
  }

  /** The chain ends: an open question is answered with its first line. */
  finish(): void {
    this.#settle();
  }

  #first(line: PlacedLine, prev: Hex): void {
    if (prev !== hexOf(this.#sha256(new Uint8Array(0))))
      this.#blame(line, "the first record's prev is not that of nothing");
  }

  #mismatch(link: BrokenLink, prev: Hex): void {
    const open = this.#broken;
    this.#broken = null;
    if (open !== null && this.#withPrev(open.to, open.from.hash) === prev) {
      this.#blame(open.to, "its prev is not the hash of the record before it");
      return;
    }
    if (open !== null) this.#blame(open.from, "the next record's prev is the hash of other bytes");
    if (link.from.state.anchored) this.#blame(link.to, "its prev is not the hash of the record before it");
    else this.#broken = link;
  }

  #settle(): void {
    if (this.#broken !== null) this.#blame(this.#broken.from, "the next record's prev is the hash of other bytes");
    this.#broken = null;
  }

  /** Hash of the line as it would be with another `prev`. */
  #withPrev(line: PlacedLine, prev: Hex): Hex | null {
    const own = textMember(line.record, "prev");
    if (own === null || line.text === null) return null;
    return hexOf(this.#sha256(bytesOfText(line.text.replace(`"prev":${JSON.stringify(own)}`, `"prev":"${prev}"`))));
  }
}
