import type { DaemonEvent } from "../../daemon/index.ts";

export type SettledRun = Extract<DaemonEvent, { kind: "run_settled" }>;
export type PassEvent = Extract<DaemonEvent, { kind: "pass" }>;

/** The daemon's events as they come, for one listener that wants each kind once. */
export class DemoWaits {
  readonly #seen: DaemonEvent[] = [];
  readonly #listeners = new Set<() => void>();

  readonly emit = (event: DaemonEvent): void => {
    this.#seen.push(event);
    for (const listener of this.#listeners) listener();
  };

  /** The first event, past or to come, that `pick` answers for; null after `timeoutMs`. */
  first<T>(pick: (event: DaemonEvent) => T | null, timeoutMs: number, signal: AbortSignal): Promise<T | null> {
    return new Promise((resolve, reject) => {
      let looked = 0;
      const end = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        signal.removeEventListener("abort", onAbort);
      };
      const look = (): void => {
        for (; looked < this.#seen.length; looked++) {
          const event = this.#seen[looked];
          const picked = event === undefined ? null : pick(event);
          if (picked === null) continue;
          end();
          resolve(picked);
          return;
        }
      };
      const onAbort = (): void => {
        end();
        reject(new Error("stopped"));
      };
      const timer = setTimeout(() => {
        end();
        resolve(null);
      }, timeoutMs);
      this.#listeners.add(look);
      signal.addEventListener("abort", onAbort, { once: true });
      look();
    });
  }

  parts(): readonly Extract<DaemonEvent, { kind: "part_ready" }>[] {
    return this.#seen.filter((event) => event.kind === "part_ready");
  }
}
