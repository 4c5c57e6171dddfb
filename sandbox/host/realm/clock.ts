import { type HostCall, numberOf } from "./host-call.ts";

export interface RealmClock {
  readonly globals: Record<string, unknown>;
  readonly wallClock: () => Date;
}

/**
 * `Date` and `performance`. Time stands still at the run's instant: two executions of one step see the same clock. A
 * plugin that says `nondeterministic` gets the machine's.
 */
export function clockOf(host: HostCall, now: string, nondeterministic: boolean): RealmClock {
  const RealDate = Date;
  const wallMs = (): number => numberOf(host("wallMs"));
  const nowMs = nondeterministic ? wallMs : constant(RealDate.parse(now));
  const startMs = numberOf(host("monotonicMs"));
  const elapsedMs = nondeterministic ? () => numberOf(host("monotonicMs")) - startMs : constant(0);
  return {
    wallClock: () => new RealDate(wallMs()),
    globals: {
      Date: dateClass(RealDate, nowMs),
      performance: Object.freeze({
        now: elapsedMs,
        timeOrigin: nowMs(),
        mark: () => undefined,
        measure: () => undefined,
      }),
    },
  };
}

const constant = (value: number) => (): number => value;

function dateClass(RealDate: DateConstructor, nowMs: () => number): unknown {
  function StepDate(this: unknown, ...parts: unknown[]): unknown {
    // Called without `new`, it answers with a text.
    if ((new.target as unknown) === undefined) return new RealDate(nowMs()).toString();
    return Reflect.construct(RealDate, parts.length === 0 ? [nowMs()] : parts, new.target);
  }
  Object.defineProperty(StepDate, "name", { value: "Date" });
  StepDate.prototype = RealDate.prototype;
  StepDate.now = nowMs;
  StepDate.parse = RealDate.parse;
  StepDate.UTC = RealDate.UTC;
  // Or `new Date(0).constructor.now()` would tell the machine's time.
  Object.defineProperty(RealDate.prototype, "constructor", { value: StepDate, writable: true, configurable: true });
  return StepDate;
}
