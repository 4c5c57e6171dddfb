import type { TouchedRun } from "../../plan/index.ts";
import type { RunView } from "../../store/index.ts";
import type { DaemonClient } from "../daemon-client.ts";

export type UnfinishedRun = Omit<TouchedRun, "effect">;

const pageSize = 200;
/** A tenant's queue holds at most 100,000; a plan that names so many helps nobody. */
const mostRuns = 2000;

/** The tenant's runs that have not ended, newest first, at most 2,000, by DAG. */
export async function unfinishedRuns(client: DaemonClient): Promise<ReadonlyMap<string, readonly UnfinishedRun[]>> {
  const byDag = new Map<string, UnfinishedRun[]>();
  let before: string | null = null;
  for (let seen = 0; seen < mostRuns; seen += pageSize) {
    const page = before === null ? "" : `&before=${before}`;
    const { items } = (await client.get(`/runs?unfinished=true&limit=${String(pageSize)}${page}`)) as {
      readonly items: readonly RunView[];
    };
    for (const { dagId, runId, runNo, state } of items.filter(({ endedUtc }) => endedUtc === null))
      byDag.set(dagId, [...(byDag.get(dagId) ?? []), { runId, runNo, state }]);
    before = items.at(-1)?.runId ?? null;
    if (items.length < pageSize) break;
  }
  return byDag;
}
