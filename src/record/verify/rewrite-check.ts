import type { Sha256 } from "../../base/index.ts";
import { parseSegmentPath, type SegmentName } from "../segment-path.ts";
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

interface Rewrite {
  readonly path: string;
  readonly name: SegmentName;
  readonly old: readonly SegmentLine[];
  readonly current: readonly SegmentLine[];
}

/** A commit that touches a sealed file: says what became of each of its records. */
export function reportRewrite({ path, before, after }: TreeChange, rules: RewriteRules): void {
  const { findings, commit } = rules;
  const name = parseSegmentPath(path);
  const verb = after === null ? "removes" : "rewrites";
  const tenant = name?.tenant ?? null;
  findings.add("AUDIT_REWRITTEN", { path, tenant }, `commit ${commit} ${verb} a file that an earlier one sealed`);
  if (name === null || before === null) return;
  const old = linesAt(path, before.oid, rules);
  const current = after === null ? [] : linesAt(path, after.oid, rules);
  const rewrite = { path, name, old, current };
  if (isPermutation(old, current)) reportMoved(rewrite, rules);
  else reportLost(rewrite, rules);
}

function reportMoved({ path, name, old, current }: Rewrite, { findings, commit }: RewriteRules): void {
  for (const [at, line] of current.entries()) {
    if (line.hash === old[at]?.hash) continue;
    const seq = countMember(line.record, "seq") ?? name.firstSeq + at;
    const place = { path, tenant: name.tenant, seq, line: at + 1 };
    findings.add("AUDIT_ORDER", place, `commit ${commit}: record ${String(seq)} was moved`);
  }
}

function reportLost({ path, name, old, current }: Rewrite, { findings, commit }: RewriteRules): void {
  const kept = new Set(current.map(({ hash }) => hash));
  // As many new lines as lost ones: each stands for one that was changed.
  const changed = current.length >= old.length;
  for (const [at, { hash }] of old.entries()) {
    if (kept.has(hash)) continue;
    const seq = name.firstSeq + at;
    const place = { path, tenant: name.tenant, seq, line: at + 1 };
    const what = `commit ${commit}: record ${String(seq)} was ${changed ? "changed" : "removed"}`;
    findings.add(changed ? "AUDIT_TAMPERED" : "AUDIT_GAP", place, what);
  }
  if (current.length <= old.length) return;
  const known = new Set(old.map(({ hash }) => hash));
  const line = current.find(({ hash }) => !known.has(hash))?.line ?? null;
  const what = `commit ${commit}: records were put into a sealed segment`;
  findings.add("AUDIT_TAMPERED", { path, tenant: name.tenant, line }, what);
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
