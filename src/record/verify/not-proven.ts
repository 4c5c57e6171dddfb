import type { AuditHead } from "./audit-report.ts";

export interface Extent {
  readonly witnessed: boolean;
  readonly rootLostIn: number | null;
  readonly dropped: number;
  readonly head: AuditHead | null;
}

/** What no verdict of this verifier says, in the order of how often it is taken for granted. */
export function notProven({ witnessed, rootLostIn, dropped, head }: Extent): readonly string[] {
  const end = head === null ? "" : ` (${String(head.size)} records, ${head.timestamp ?? "no time"})`;
  return [
    witnessed
      ? `That nothing newer than this head${end} was cut off: the kept checkpoint only covers what was there when it was kept.`
      : `That the newest records were not cut off: without a checkpoint kept elsewhere (--witness) a branch that ends early${end} looks whole.`,
    "That every due slot has a run or a skip record: slots are recorded, but not recomputed yet.",
    "That what a record says is what happened: whoever holds the recorder's key can sign false records from the next batch on, and, where nobody kept a checkpoint, a whole other history.",
    "When it happened: timestamps are the daemon's clock. They only ever rise; no outside clock vouches for them.",
    "That payloads, logs and artifacts still exist: records hold their hashes only.",
    "That the reviewed commits named in the records are in the spec repository: this check reads the audit branch alone.",
    ...(rootLostIn === null
      ? []
      : [
          `Anything by Merkle root from batch ${String(rootLostIn)} on: later records are checked by chain and commit signature only.`,
        ]),
    ...(dropped === 0 ? [] : [`${String(dropped)} more findings are not listed.`]),
  ];
}
