import { type GitRepository, toOid } from "../../git/index.ts";
import type { RunStatus } from "../../run/index.ts";

/** What the branch itself holds: counted from its records, not from the daemon's word. */
export interface AuditCount {
  readonly records: number;
  readonly denied: number;
  readonly runs: Readonly<Record<RunStatus, number>>;
  readonly runRecords: readonly RunLine[];
}

export interface RunLine {
  readonly kind: string;
  readonly tenant: string;
  readonly dagId: string;
  readonly runId: string;
  readonly status: RunStatus;
  readonly code?: string;
  readonly trigger: { readonly kind: string };
  readonly runtime: { readonly level: string };
  readonly steps?: readonly {
    readonly stepId: string;
    readonly status: string;
    readonly attempts: readonly object[];
  }[];
}

export function countAudit(repository: GitRepository, head: string): AuditCount {
  const { tree } = repository.readCommit(toOid(head));
  const records = repository.entryAt(tree, "records");
  const lines =
    records === null
      ? []
      : [...repository.walkTree(records.oid, "records/")].flatMap(({ entry }) =>
          linesOf(repository.readBlob(entry.oid)),
        );
  const runRecords = lines.filter(({ kind }) => kind === "run");
  const runs: Record<RunStatus, number> = { succeeded: 0, failed: 0, cancelled: 0, timed_out: 0 };
  for (const { status } of runRecords) runs[status]++;
  return { records: lines.length, denied: lines.filter(({ kind }) => kind === "denial").length, runs, runRecords };
}

function linesOf(segment: Buffer): readonly RunLine[] {
  return segment
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as RunLine);
}
