import { describe, expect, it } from "vitest";
import { maxSignRequestBytes } from "../../../src/signer/sign-request.ts";
import type { AttemptOutcome } from "../../../src/store/index.ts";
import type { PinnedRun } from "../../../src/worker/run/pinned-run.ts";
import { RunLedger } from "../../../src/worker/run/run-ledger.ts";

const mib = 1024 * 1024;

function ledgerOf(attempts: readonly AttemptOutcome[] = []): RunLedger {
  const steps = new Map([
    ["a", { isFinal: false }],
    ["tidy", { isFinal: true }],
  ]);
  return new RunLedger({ claimed: { attempts }, steps } as unknown as PinnedRun);
}

/** An attempt whose artifacts take about a MiB of the record; its output, however large, takes none. */
const large = (index: number): AttemptOutcome =>
  ({
    ...{ stepId: "a", index, attempt: 1, status: "failed", outputText: null, egress: [] },
    artifacts: [{ artifact: "a".repeat(mib), bytes: 1, mediaType: "text/plain" }],
  }) as unknown as AttemptOutcome;

describe("a run that outgrows its record", () => {
  it("starts nothing more before the record is too large to be signed, and leaves finally some room", () => {
    const ledger = ledgerOf();
    const full: boolean[] = [];
    for (let n = 0; n < 16; n++) {
      full.push(ledger.isFull("a"));
      ledger.add(large(n));
      if (n === 12) expect([ledger.isFull("a"), ledger.isFull("tidy")]).toEqual([true, false]);
    }

    expect(full.filter((isFull) => !isFull)).toHaveLength(12);
    expect(ledger.isFull("tidy")).toBe(true);
    expect(16 * mib).toBeLessThan(maxSignRequestBytes);
  });

  it("counts what a worker before it has stored", () => {
    expect(ledgerOf(Array.from({ length: 13 }, (_, n) => large(n))).isFull("a")).toBe(true);
  });
});
