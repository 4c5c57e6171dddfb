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
  /** Ends a worker cleanly. */
  retireWorker(workerId: string): Promise<void>;
}
