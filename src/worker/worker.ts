import type { Service } from "../base/index.ts";
import type { WorkerDeps, WorkerOptions } from "./worker-deps.ts";
import { WorkerSession } from "./worker-session.ts";

export interface Worker extends Service {
  /** Something may be ready, or cancelled: look now. Many wakes are one; a lost one is found at the next heartbeat. */
  wake(): void;
}

/**
 * Claims runs, walks their DAGs, settles them. A worker that loses its lease kills its hosts, stops by itself and tells
 * `deps.failed`; `start` then registers a fresh one.
 */
export function createWorker(deps: WorkerDeps, options: WorkerOptions): Worker {
  let session: Promise<WorkerSession> | null = null;
  let opening = new AbortController();
  return {
    name: "worker",
    start: async () => {
      const before = session;
      opening = new AbortController();
      const { signal } = opening;
      const mine = (async () => {
        // What is left of a session that ended by itself.
        if (before !== null) await (await before).close();
        return await WorkerSession.open(deps, options, signal);
      })();
      session = mine;
      try {
        await mine;
      } catch (error) {
        if (session === mine) session = null;
        throw error;
      }
    },
    stop: async () => {
      const open = session;
      session = null;
      opening.abort(new Error("the worker stops"));
      // A start that failed left nothing behind.
      await (await open?.catch(() => null))?.close();
    },
    wake: () => {
      session?.then(
        (open) => open.wake(),
        () => undefined,
      );
    },
  };
}
