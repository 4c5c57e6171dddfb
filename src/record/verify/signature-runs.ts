import type { FindingList, FindingPlace } from "./audit-report.ts";
import type { SignatureDefect } from "./key-check.ts";

interface Run {
  readonly defect: SignatureDefect;
  readonly what: string;
  readonly first: number;
  last: number;
  /** The first record of the first batch, so that the finding names what it is about. */
  readonly place: FindingPlace;
}

/** Neighbouring commits with the same defect are one finding: a rewritten history would give thousands. */
export class SignatureRuns {
  readonly #findings: FindingList;
  readonly #what: string;
  #run: Run | null = null;

  /** `what` as it is named in messages: `commit`, `checkpoint of batch`. */
  constructor(findings: FindingList, what: string) {
    this.#findings = findings;
    this.#what = what;
  }

  take(batch: number, defect: SignatureDefect | null, place: FindingPlace): void {
    const run = this.#run;
    if (run !== null && defect?.code === run.defect.code && defect.why === run.defect.why) {
      run.last = batch;
      return;
    }
    this.finish();
    if (defect !== null) this.#run = { defect, what: this.#what, first: batch, last: batch, place };
  }

  finish(): void {
    const run = this.#run;
    this.#run = null;
    if (run === null) return;
    const { first, last, defect, place, what } = run;
    const range = first === last ? `${what} ${String(first)}` : `${what}s ${String(first)} to ${String(last)}`;
    this.#findings.add(defect.code, place, `${range}: ${defect.why}`);
  }
}
