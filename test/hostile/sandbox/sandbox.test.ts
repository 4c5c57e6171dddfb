import { afterAll, describe, expect, it } from "vitest";
import {
  type Attack,
  answerAttacks,
  importAttacks,
  pipeAttacks,
  realmAttacks,
  resourceAttacks,
  wallAttacks,
} from "./attacks.ts";
import { openSandbox, outcome } from "./open-sandbox.ts";

const bench = await openSandbox();
const { level, reason } = bench.hosts.facts;
const isConfined = level === "confined" || level === "sealed";
const suffix = isConfined ? "" : ` (skipped: level ${level}, ${reason ?? ""})`;

afterAll(() => bench[Symbol.asyncDispose]());

describe.skipIf(!isConfined)(`a hostile step at level ${level}${suffix}`, () => {
  const groups: readonly (readonly [string, readonly Attack[]])[] = [
    ["takes what it was not given", wallAttacks],
    ["takes without end", resourceAttacks],
    ["answers nonsense", answerAttacks],
    ["forges frames", pipeAttacks],
    ["climbs out of its realm", [...realmAttacks, ...importAttacks]],
  ];
  for (const [group, attacks] of groups)
    describe(group, () => {
      it.each(attacks)("$name: stopped, and the next step runs", async ({ run, over, ends }) => {
        const result = await bench.step(run, over);
        const next = await bench.step("({ n }) => ({ next: n + 1 })", { with: { n: 1 } });

        expect(ends).toContainEqual(outcome(result));
        expect(outcome(next)).toEqual({ next: 2 });
      });
    });
});

describe(`a hostile step at level ${level}, against its neighbours`, () => {
  it("shares no prototype, global or module state with the next run of the same plugin", async () => {
    const run = `({ pollute }) => { const seen = { polluted: {}.polluted ?? null, global: globalThis.left ?? null, works: [1].map((x) => x + 1),
        count: (globalThis.n = (globalThis.n ?? 0) + 1) };
      if (pollute) { Object.prototype.polluted = 'yes'; Array.prototype.map = null; JSON.stringify = () => 'no'; Promise.prototype.then = undefined; globalThis.left = 'secret'; }
      return seen; }`;

    const first = await bench.step(run, { with: { pollute: true }, limits: { timeoutMs: 1500 } });
    const second = await bench.step(run, { with: { pollute: false } });

    // The first may spoil its own answer, never the next one's.
    expect(["output", "failed"]).toContain(first.kind);
    expect(outcome(second)).toEqual({ polluted: null, global: null, works: [2], count: 1 });
  });

  it("is not charged for what an earlier run of the same plugin left behind", async () => {
    const leave = `(input) => { if (input.leave) { setTimeout(() => { throw new Error('late') }, 20); setInterval(() => { for (;;); }, 30);
      Promise.resolve().then(async () => { for (;;) await null; }); (async () => { await null; throw new Error('late too') })(); }
      return input.leave ? { left: true } : new Promise((r) => setTimeout(() => r({ fine: true }), 200)); }`;

    const first = await bench.step(leave, { with: { leave: true }, limits: { timeoutMs: 1500 } });
    const second = await bench.step(leave, { with: { leave: false } });

    expect(["output", "failed"]).toContain(first.kind);
    expect(outcome(second)).toEqual({ fine: true });
  });

  it("sees neither the files nor the memory of another tenant's step in the same slot", async () => {
    const write = `() => { require('fs').writeFileSync('/tmp/secret', 'x'); globalThis.secret = 1; return {}; }`;
    const read = `() => ({ files: require('fs').readdirSync('/tmp'), global: globalThis.secret ?? null })`;
    if (!isConfined) {
      expect(level).not.toBe("confined");
      return;
    }

    await bench.step(write, { isolation: "host", builtins: ["fs"] });
    const seen = await bench.step(read, { isolation: "host", builtins: ["fs"], request: { tenant: "other" } });

    expect(outcome(seen)).toEqual({ files: [], global: null });
  });

  it("does not slow a running neighbour into its timeout while it floods its pipe", async () => {
    const flood = bench.step("() => { for (;;) { try { console.log('x'.repeat(8000)) } catch {} } }");
    const neighbour = bench.step("() => new Promise((r) => setTimeout(() => r({ fine: true }), 100))", {
      request: { tenant: "other" },
    });

    expect(outcome(await neighbour)).toEqual({ fine: true });
    expect(outcome(await flood)).toBe("resource/STEP_FLOOD");
  });
});
