import { afterAll, describe, expect, it } from "vitest";
import { answerAttacks, pipeAttacks, realmAttacks, resourceAttacks } from "./attacks.ts";
import { openSandbox, outcome } from "./open-sandbox.ts";

const bench = await openSandbox({ level: "process" });
afterAll(() => bench[Symbol.asyncDispose]());

// The scratch of this level is a plain directory: its size is held by nobody.
const held = resourceAttacks.filter(({ name }) => name !== "fills its scratch");

describe("a hostile step at level process, which stops accidents", () => {
  it.each([...held, ...answerAttacks.slice(0, 6), ...pipeAttacks.slice(0, 6), ...realmAttacks.slice(0, 6)])(
    "$name: stopped, and the next step runs",
    async ({ run, over, ends }) => {
      const result = await bench.step(run, over);
      const next = await bench.step("({ n }) => ({ next: n + 1 })", { with: { n: 1 } });

      expect(ends).toContainEqual(outcome(result));
      expect(outcome(next)).toEqual({ next: 2 });
    },
  );

  it.each([
    ["reads /etc/passwd", "fs", "require('fs').readFileSync('/etc/passwd')"],
    ["writes outside of its scratch", "fs", "require('fs').writeFileSync('/tmp/x', 'x')"],
    ["starts a process", "child_process", "require('child_process').execSync('true')"],
  ])("%s: refused by Node's permission model", async (_name, builtin, call) => {
    const result = await bench.step(`() => { try { ${call}; return {}; } catch (e) { return { code: e.code }; } }`, {
      isolation: "host",
      builtins: [builtin],
    });

    expect(outcome(result)).toEqual({ code: "ERR_ACCESS_DENIED" });
  });

  it("finds nothing of an earlier step in its scratch", async () => {
    const write = `() => { require('fs').writeFileSync(process.cwd() + '/secret', 'x'); return {}; }`;
    const list = `() => ({ files: require('fs').readdirSync('${bench.dir}/sb/s0').length })`;

    await bench.step(write, { isolation: "host", builtins: ["fs"] });
    const result = await bench.step(list, { isolation: "host", builtins: ["fs"] });

    // Another host's scratch is closed to it, its own is empty.
    expect([{ files: 0 }, "permanent/STEP_FAILED"]).toContainEqual(outcome(result));
  });
});
