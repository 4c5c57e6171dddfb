import type { Database } from "../../database/index.ts";

/**
 * Makes the ledger's partitions of the months that runs are named in, each once. A run settles in the month of its id,
 * whatever the clock says then; so that month is made before the run is let in: afterwards nothing could ever end it.
 */
export function monthsOf(database: Pick<Database, "makePartitions">): (runIds: readonly string[]) => Promise<void> {
  const made = new Set<string>();
  return async (runIds) => {
    for (const runId of runIds) {
      const at = instantOf(runId);
      const month = at.toISOString().slice(0, 7);
      if (made.has(month)) continue;
      await database.makePartitions(at);
      made.add(month);
    }
  };
}

/** The first 48 bits of a UUIDv7 are its instant in ms. */
const instantOf = (runId: string): Date =>
  new Date(Math.min(Number.parseInt(runId.slice(0, 8) + runId.slice(9, 13), 16), lastMs));

/** Beyond the year 9999 PostgreSQL and JavaScript write instants apart. */
const lastMs = Date.UTC(9999, 9);
