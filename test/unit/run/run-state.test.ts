import { expect, it } from "vitest";
import { nextRunState, nextStepState, runTransitions, stepTransitions } from "../../../src/run/index.ts";

const finished = ["succeeded", "failed", "cancelled", "timed_out"] as const;

it("walks a run from queued to its end", () => {
  expect(nextRunState("queued", "claimed")).toBe("running");
  expect(nextRunState("running", "given_back")).toBe("queued");
  expect(nextRunState(nextRunState("running", "paused"), "resumed")).toBe("running");
  for (const end of finished) expect(nextRunState("running", end)).toBe(end);
});

it("lets a queued run end only as cancelled or timed_out", () => {
  expect(nextRunState("queued", "cancelled")).toBe("cancelled");
  expect(nextRunState("queued", "timed_out")).toBe("timed_out");
  for (const end of ["succeeded", "failed"] as const) {
    expect(() => nextRunState("queued", end)).toThrow(
      expect.objectContaining({ code: "ERR_ILLEGAL_TRANSITION" }) as Error,
    );
  }
});

it("never moves a finished run or step", () => {
  const steps = ["succeeded", "failed", "skipped", "cancelled", "timed_out"] as const;

  for (const state of finished) {
    for (const next of Object.values(runTransitions[state])) expect(["ignored", "illegal"]).toContain(next);
  }
  for (const state of steps) {
    for (const next of Object.values(stepTransitions[state])) expect(["ignored", "illegal"]).toContain(next);
  }
});

it("reaches every state from the first, and an end from every state", () => {
  for (const { table, first } of [
    { table: runTransitions as Record<string, Record<string, string>>, first: "queued" },
    { table: stepTransitions as Record<string, Record<string, string>>, first: "pending" },
  ]) {
    const reached = new Set([first]);
    for (const state of reached) {
      for (const next of Object.values(table[state] ?? {}).filter((name) => name in table)) reached.add(next);
    }
    expect([...reached].sort()).toEqual(Object.keys(table).sort());
  }
});

it("throws for an illegal step event with both words in it", () => {
  expect(() => nextStepState("pending", "succeeded")).toThrow("step: succeeded in state pending");
});
