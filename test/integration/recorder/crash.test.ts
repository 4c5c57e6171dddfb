import { cpSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DurableFs, openRepository } from "../../../src/git/index.ts";
import { testGenesisBody, testRunBody } from "../../support/audit-fixtures.ts";
import { rounds, soakTimeout } from "../../support/effort.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { type ScratchDir, scratchDir, stockGit, stockRepository } from "../../support/git-fixtures.ts";
import { branch, type Lasting, lasting, recorderOver, verdictOn } from "../../support/recorder-setup.ts";
import { Crash, CrashFs, type Survival } from "../git/crash-fs.ts";

const never = new AbortController().signal;
/** Later than any file that the test makes: a lock that a crash left is old enough to be removed. */
const clock = new FakeClock("2040-01-01T00:00:00.000Z");

/** Calls of the two ref swaps at the end of a batch: the branch and its anchor. */
const refCalls = 36;

let scratch: ScratchDir;
let empty: string;
let copies = 0;

beforeAll(() => {
  scratch = scratchDir();
  empty = stockRepository(scratch.join("empty"), { bare: true });
});
afterAll(() => scratch[Symbol.dispose]());

function copyOf(dir: string): string {
  const copy = scratch.join(`copy-${String(copies++)}`);
  cpSync(dir, copy, { recursive: true, preserveTimestamps: true });
  return copy;
}

async function flush(dir: string, kept: Lasting, fs?: DurableFs): Promise<void> {
  using repository = openRepository(dir);
  const recorder = recorderOver(repository, { ...kept, clock, ...(fs === undefined ? {} : { fs }) });
  await recorder.flush(never);
}

function waiting(): Lasting {
  const kept = lasting(clock);
  kept.outbox.put(testGenesisBody(), testRunBody({ n: 1 }));
  return kept;
}

/** What a life without a crash leaves: every oid must come out the same. */
async function undisturbed(): Promise<string> {
  const dir = copyOf(empty);
  const kept = waiting();
  await flush(dir, kept);
  await goOn(dir, kept);
  expect(verdictOn(dir)).toMatchObject({ ok: true, records: 3, batches: 2 });
  return stockGit(dir, ["rev-list", branch]);
}

/** The next start, one more record, and the verdict of stock git and of our verifier. */
async function goOn(dir: string, kept: Lasting): Promise<void> {
  await flush(dir, kept);
  kept.outbox.put(testRunBody({ n: 3 }));
  await flush(dir, kept);
}

async function expectWhole(dir: string, kept: Lasting, reference: string): Promise<void> {
  expect(stockGit(dir, ["rev-list", branch])).toBe(reference);
  // Equal oids are equal records; fsck reads every byte of them again.
  expect(stockGit(dir, ["fsck", "--strict"])).not.toMatch(/error|missing|corrupt/);
  const seqs = kept.outbox.records.map(({ tenant, seq }) => `${tenant} ${String(seq)}`);
  expect(seqs).toEqual(["_site 1", "acme 1", "acme 2"]);
  expect(await kept.outbox.pending()).toMatchObject({ count: 0 });
}

const survivals: readonly Survival[] = [
  { name: "the process died, the disk lives", keepsEntry: () => true, keepsBytes: () => "all" },
  { name: "only what was synced", keepsEntry: () => false, keepsBytes: () => "none" },
  { name: "all names, zeros for bytes", keepsEntry: () => true, keepsBytes: () => "zeros" },
];

describe("a stop of the recorder", () => {
  it(
    "after calls to the disk, every one around the refs, leaves a chain without gap, double or other oid",
    async () => {
      const reference = await undisturbed();
      const wholeDir = copyOf(empty);
      const whole = new CrashFs(wholeDir, Number.POSITIVE_INFINITY);
      await flush(wholeDir, waiting(), whole.fs);
      // The git room enumerates every call of objects; a few of them are enough here, outside of a soak.
      const stride = rounds(9, 1);
      const points = Array.from({ length: whole.calls }, (_, call) => call).filter(
        (call) => call % stride === 0 || call >= whole.calls - refCalls,
      );
      const turns = rounds(1, survivals.length);
      for (const [call, turn] of points.flatMap((point) => [...Array(turns).keys()].map((n) => [point, n] as const))) {
        const dir = copyOf(empty);
        const crash = new CrashFs(dir, call);
        const kept = waiting();
        await expect(flush(dir, kept, crash.fs)).rejects.toThrow();
        const after = scratch.join(`after-${String(call)}-${String(turn)}`);
        crash.restore(empty, after, survivals[(call + turn) % survivals.length]!);

        await goOn(after, kept);

        await expectWhole(after, kept, reference);
      }
      expect(points.length).toBeGreaterThan(refCalls);
    },
    soakTimeout(180_000),
  );

  it("before and after every call to database and signer leaves a chain without gap, double or other oid", async () => {
    const reference = await undisturbed();
    const passed = new Set<string>();
    let finished = false;
    for (let point = 0; !finished; point++) {
      const dir = copyOf(empty);
      const kept = waiting();
      const stop = stopAt(point);
      const mortal = { outbox: stop.wrap(kept.outbox, "outbox"), signer: stop.wrap(kept.signer, "signer") };
      finished = await flush(dir, mortal).then(
        () => true,
        (error: unknown) => {
          if (!(error instanceof Crash)) throw error;
          return false;
        },
      );
      passed.add(stop.name());

      await goOn(dir, kept);

      await expectWhole(dir, kept, reference);
    }
    for (const name of ["outbox.drain", "signer.sign", "outbox.prepare", "outbox.seal"]) {
      expect(passed).toContain(`before ${name}`);
      expect(passed).toContain(`after ${name}`);
    }
  });
});

/** Lets the k-th border of a call be the last thing that the process saw. */
function stopAt(point: number) {
  let borders = 0;
  let last = "";
  const pass = (name: string): void => {
    if (borders > point) throw new Crash("dead");
    last = name;
    if (borders++ === point) throw new Crash(name);
  };
  const wrap = <T extends object>(target: T, room: string): T =>
    new Proxy(target, {
      get: (_, property): unknown => {
        const member: unknown = Reflect.get(target, property, target);
        if (typeof member !== "function") return member;
        return async (...args: unknown[]): Promise<unknown> => {
          pass(`before ${room}.${String(property)}`);
          const result: unknown = await Reflect.apply(member, target, args);
          pass(`after ${room}.${String(property)}`);
          return result;
        };
      },
    });
  return { wrap, name: () => last };
}
