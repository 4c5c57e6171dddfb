type Listener = (event: Event) => unknown;

export class Event {
  readonly type: string;
  target: unknown = null;
  defaultPrevented = false;
  constructor(type: unknown) {
    this.type = String(type);
  }
  preventDefault(): void {
    this.defaultPrevented = true;
  }
}

export class EventTarget {
  readonly #listeners = new Map<string, Map<Listener, boolean>>();

  addEventListener(type: string, listener: unknown, options: { once?: boolean } | boolean = {}): void {
    const call = typeof listener === "function" ? (listener as Listener) : null;
    if (call === null) return;
    const ofType = this.#listeners.get(type) ?? new Map<Listener, boolean>();
    this.#listeners.set(type, ofType);
    if (!ofType.has(call)) ofType.set(call, typeof options === "object" && options.once === true);
  }

  removeEventListener(type: string, listener: unknown): void {
    this.#listeners.get(type)?.delete(listener as Listener);
  }

  dispatchEvent(event: Event): boolean {
    event.target = this;
    for (const [listener, once] of [...(this.#listeners.get(event.type) ?? [])]) {
      if (once) this.#listeners.get(event.type)?.delete(listener);
      listener.call(this, event);
    }
    return !event.defaultPrevented;
  }
}

export class DOMException extends Error {
  constructor(message = "", name = "Error") {
    super(message);
    this.name = name;
  }
}

let minting = false;

export class AbortSignal extends EventTarget {
  #reason: unknown = undefined;
  onabort: Listener | null = null;

  constructor() {
    super();
    if (!minting) throw new TypeError("Illegal constructor");
  }

  get aborted(): boolean {
    return this.#reason !== undefined;
  }
  get reason(): unknown {
    return this.#reason;
  }
  throwIfAborted(): void {
    if (this.aborted) throw this.#reason as Error;
  }

  static abort(reason?: unknown): AbortSignal {
    const controller = new AbortController();
    controller.abort(reason);
    return controller.signal;
  }

  static timeout(ms: number): AbortSignal {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new DOMException("timed out", "TimeoutError")), ms);
    return controller.signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const controller = new AbortController();
    for (const signal of signals) {
      if (signal.aborted) controller.abort(signal.reason);
      else signal.addEventListener("abort", () => controller.abort(signal.reason), { once: true });
    }
    return controller.signal;
  }

  /** @internal Only AbortController holds it. */
  static abortIt(signal: AbortSignal, reason: unknown): void {
    if (signal.aborted) return;
    signal.#reason = reason ?? new DOMException("This operation was aborted", "AbortError");
    const event = new Event("abort");
    signal.onabort?.(event);
    signal.dispatchEvent(event);
  }
}

const abortIt = AbortSignal.abortIt.bind(AbortSignal);
Reflect.deleteProperty(AbortSignal, "abortIt");

export class AbortController {
  readonly signal: AbortSignal;
  constructor() {
    minting = true;
    this.signal = new AbortSignal();
    minting = false;
  }
  abort(reason?: unknown): void {
    abortIt(this.signal, reason);
  }
}
