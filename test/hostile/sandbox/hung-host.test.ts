import { afterAll, describe, expect, it } from "vitest";
import { descendantsOf } from "../../support/daemon-process.ts";
import { hostProcesses, openSandbox, outcome } from "./open-sandbox.ts";

const bench = await openSandbox({ hosts: 1, warm: 0 });
const { level } = bench.hosts.facts;
afterAll(() => bench[Symbol.asyncDispose]());

describe(`a host at level ${level} whose own watch does not run any more`, () => {
  it("is ended by the daemon's deadline, with the class of a timeout, and the next step runs", async () => {
    let stopped = 0;
    const stopHost = async (): Promise<void> => {
      // What runs inside bubblewrap does not name our directory: it is found below what does.
      for (const outer of await hostProcesses(bench.dir)) {
        for (const pid of [outer, ...descendantsOf(outer)]) {
          process.kill(pid, "SIGSTOP");
          stopped++;
        }
      }
    };

    // Everything in the host stands still, also what should end the step in there.
    const hung = await bench.step("(_, ctx) => { ctx.log('info', 'here'); return new Promise(() => {}); }", {
      limits: { timeoutMs: 1500 },
      ports: { log: () => void stopHost() },
    });
    const next = await bench.step("() => ({ a: 1 })");

    expect(stopped).toBeGreaterThan(0);
    expect(outcome(hung)).toBe("timeout/STEP_TIMEOUT");
    expect(outcome(next)).toEqual({ a: 1 });
  }, 30_000);
});
