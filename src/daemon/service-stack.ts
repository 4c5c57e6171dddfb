import type { Service } from "../base/index.ts";
import type { Emit } from "./daemon-event.ts";

/** Started in order, stopped in reverse; a start that fails stops what had started. */
export class ServiceStack {
  readonly #stops: { readonly name: string; readonly stop: () => Promise<void> | void }[] = [];
  readonly #emit: Emit;

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  async start<S extends Service>(service: S, detail: (service: S) => string = () => ""): Promise<S> {
    const began = performance.now();
    // Before the start: what started half-way must be stopped too.
    this.onStop(service.name, () => service.stop());
    await service.start();
    this.#emit({
      kind: "part_ready",
      part: service.name,
      ms: Math.round(performance.now() - began),
      detail: detail(service),
    });
    return service;
  }

  async open<T>(name: string, open: () => Promise<T> | T, detail: (opened: T) => string = () => ""): Promise<T> {
    const began = performance.now();
    const opened = await open();
    this.#emit({ kind: "part_ready", part: name, ms: Math.round(performance.now() - began), detail: detail(opened) });
    return opened;
  }

  onStop(name: string, stop: () => Promise<void> | void): void {
    this.#stops.push({ name, stop });
  }

  /** Stops everything, whatever fails; rejects with the first failure. */
  async stopAll(): Promise<void> {
    let failure: unknown = null;
    for (let entry = this.#stops.pop(); entry !== undefined; entry = this.#stops.pop()) {
      try {
        await entry.stop();
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== null) throw failure instanceof Error ? failure : new Error("a service did not stop");
  }
}
