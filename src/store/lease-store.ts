/** Leaders are lease rows on PostgreSQL's clock, never advisory locks. */
export interface LeaseStore {
  /** Takes or renews `name`; the epoch, or null while another holder's lease lives. */
  hold(name: string, holder: string, ttlMs: number): Promise<number | null>;
  /** Gives it back on a clean stop. */
  release(name: string, holder: string): Promise<void>;
}

/** Registration, rescue and repair of workers and queue. */
export interface QueueStore {
  /** A fresh worker row; answers its id and epoch. */
  registerWorker(name: string): Promise<{ readonly workerId: string; readonly epoch: number }>;
  /** Marks workers without a beat for `ttlMs` as lost, gives their runs back; answers how many runs. */
  rescue(ttlMs: number): Promise<number>;
  /** Repairs what a lost wake-up or a crash may have left (admitted counters, promotable runs, expired ranges); answers rows changed. */
  sweep(): Promise<number>;
  /** Removes what nobody may ask for any more, tenant by tenant; where nothing is to go, nothing is written. */
  sweepHistory(bounds: SweepBounds): Promise<Swept>;
  /** Ends a worker cleanly. */
  retireWorker(workerId: string): Promise<void>;
}

/** What stays, whatever its age, and what goes. Partitions of the ledger are not swept: retention is not configured yet. */
export interface SweepBounds {
  /** Blobs stay while the applied state, an unfinished run, or a run that was admitted since then names them. */
  readonly runsSince: Date;
  /** Batches that are done go when they are older, but for the last `batchesKept`: a branch that is behind is written from them. */
  readonly batchesBefore: Date;
  readonly batchesKept: number;
  /** The newest events of each tenant. */
  readonly eventsKept: number;
}

export interface Swept {
  readonly blobs: number;
  readonly batches: number;
  readonly events: number;
}
