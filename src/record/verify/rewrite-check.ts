import type { Sha256 } from "../../base/index.ts";
import { parseSegmentPath } from "../segment-path.ts";
import type { FindingList } from "./audit-report.ts";
import type { AuditReader } from "./audit-source.ts";
import { countMember, type SegmentLine, segmentLines } from "./segment-line.ts";
import type { TreeChange } from "./tree-change.ts";

export interface RewriteRules {
  readonly reader: Pick<AuditReader, "readBlob">;
  readonly sha256: Sha256;
  readonly findings: FindingList;
  /** The commit that did it, in short. */
  readonly commit: string;
}

/** A commit that touches a sealed file: says what became of each of its records. */
export function reportRewrite({ path, before, after }: TreeChange, rules: RewriteRules): void {
  const { findings, commit } = rules;
  const name = parseSegmentPath(path);
  const place = { path, tenant: name?.tenant ?? null };
  const verb = after === null ? "removes" : "rewrites";
  findings.add("AUDIT_REWRITTEN", place, `commit ${commit} ${verb} a file that an earlier one sealed`);
  if (name === null || before === null) return;
  const old = linesAt(path, before.oid, rules);
  const current = after === null ? [] : linesAt(path, after.oid, rules);
  const seqOf = (at: number): number => name.firstSeq + at;
  const report = (code: "AUDIT_TAMPERED" | "AUDIT_GAP" | "AUDIT_ORDER", at: number, message: string): void => {
    findings.add(code, { ...place, seq: seqOf(at), line: at + 1 }, `commit ${commit}: ${message}`);
  };
  if (isPermutation(old, current)) {
    for (const [at, line] of current.entries()) {
      const seq = countMember(line.record, "seq") ?? seqOf(at);
      if (line.hash !== old[at]?.hash) report("AUDIT_ORDER", seq - name.firstSeq, `record ${String(seq)} was moved`);
    }
    return;
  }
  const kept = new Set(current.map(({ hash }) => hash));
  const known = new Set(old.map(({ hash }) => hash));
  const added = current.filter(({ hash }) => !known.has(hash));
  for (const [at, line] of old.entries()) {
    if (kept.has(line.hash)) continue;
    // As many new lines as lost ones: each stands for one that was changed.
    if (current.length >= old.length) report("AUDIT_TAMPERED", at, `record ${String(seqOf(at))} was changed`);
    else report("AUDIT_GAP", at, `record ${String(seqOf(at))} was removed`);
  }
  if (current.length > old.length) {
    const [first] = added;
    findings.add(
      "AUDIT_TAMPERED",
      { ...place, line: first?.line ?? null },
      `commit ${commit}: records were put into a sealed segment`,
    );
  }
}

function linesAt(path: string, oid: string, { reader, sha256 }: RewriteRules): readonly SegmentLine[] {
  return segmentLines(path, reader.readBlob(oid), sha256).lines;
}

function isPermutation(old: readonly SegmentLine[], current: readonly SegmentLine[]): boolean {
  const sorted = (lines: readonly SegmentLine[]): string =>
    lines
      .map(({ hash }) => hash)
      .sort()
      .join();
  return old.length === current.length && sorted(old) === sorted(current);
}
