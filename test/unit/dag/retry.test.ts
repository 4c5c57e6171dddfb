import { expect, it } from "vitest";
import type { ErrorClass } from "../../../src/base/index.ts";
import { createWalk, decideAttempt, stepTransitions } from "../../../src/dag/index.ts";
import { conversation, dag, list, step } from "./walk-fixture.ts";

const retrying = (maxAttempts: number, errors: readonly ErrorClass[] = ["transient"]) =>
  step("a", { retry: { ...step("a").retry, maxAttempts, errors } });

it("waits longer before each attempt and ends after maxAttempts", () => {
  const walk = conversation(createWalk(dag([retrying(3)]), { startedMs: 0 }));

  expect(walk.fail("a", 0, 1, "transient")).toEqual(["wait a/0/1 1100"]);
  expect(walk.due("a", 1)).toEqual(["dispatch a/0/2"]);
  expect(walk.fail("a", 0, 2, "transient")).toEqual(["wait a/0/2 2100"]);
  expect(walk.due("a", 2)).toEqual(["dispatch a/0/3"]);
  expect(walk.fail("a", 0, 3, "transient")).toEqual(["finish a failed", "settle failed STEP_FAILED"]);
});

it("does not retry a class that retry.errors does not name", () => {
  const walk = conversation(createWalk(dag([retrying(3)]), { startedMs: 0 }));

  expect(walk.fail("a", 0, 1, "permanent")).toEqual(["finish a failed", "settle failed STEP_FAILED"]);
});

it("repeats a lost attempt of an idempotent step three times, not counted against maxAttempts", () => {
  const walk = conversation(createWalk(dag([retrying(1)], { effects: { a: "idempotent" } }), { startedMs: 0 }));

  for (const attempt of [1, 2, 3]) {
    expect(walk.fail("a", 0, attempt, "lost")).toHaveLength(1);
    expect(walk.due("a", attempt)).toEqual([`dispatch a/0/${attempt + 1}`]);
  }
  expect(walk.fail("a", 0, 4, "lost")).toEqual(["finish a failed", "settle failed SANDBOX_LOST"]);
});

it("never repeats a lost attempt of a step with any effects: its outcome is unknown", () => {
  const walk = conversation(createWalk(dag([retrying(5)], { effects: { a: "any" } }), { startedMs: 0 }));

  expect(walk.fail("a", 0, 1, "lost")).toEqual(["finish a failed", "settle failed LOST_OUTCOME_UNKNOWN"]);
});

it("repeats it under maxAttempts where the step's own retry.errors names lost", () => {
  const walk = conversation(createWalk(dag([retrying(2, ["lost"])], { effects: { a: "any" } }), { startedMs: 0 }));

  expect(walk.fail("a", 0, 1, "lost")).toEqual(["wait a/0/1 1100"]);
  walk.due("a", 1);
  expect(walk.fail("a", 0, 2, "lost")).toEqual(["finish a failed", "settle failed SANDBOX_LOST"]);
});

it("counts a timed-out attempt under the class timeout", () => {
  const end = { status: "timed_out", class: null, code: "STEP_TIMEOUT", endedMs: 0 } as const;
  const retry = { ...step("a").retry, maxAttempts: 2 };
  const bearing = { effects: "none", lostRepeats: 3 } as const;

  expect(decideAttempt(end, { counted: 0, lost: 0 }, retry, bearing).kind).toBe("retry");
  expect(decideAttempt(end, { counted: 1, lost: 0 }, retry, bearing)).toEqual({
    kind: "end",
    class: "timeout",
    code: "STEP_TIMEOUT",
  });
});

it("ignores a retry timer that comes after a cancel, or twice", () => {
  const walk = conversation(createWalk(dag([retrying(3)]), { startedMs: 0 }));
  walk.fail("a", 0, 1, "transient");
  walk.due("a", 1);

  expect(walk.due("a", 1)).toEqual([]);
  walk.fail("a", 0, 2, "transient");
  expect(walk.cancel()).toEqual(["finish a cancelled", "settle cancelled RUN_CANCELLED"]);
  expect(walk.due("a", 2)).toEqual([]);
});

it("does not retry in a run that ends: the attempt keeps its outcome", () => {
  const walk = conversation(createWalk(dag([retrying(3)]), { startedMs: 0 }));
  walk.cancel();

  expect(walk.fail("a", 0, 1, "transient")).toEqual(["finish a failed", "settle cancelled RUN_CANCELLED"]);
});

it("keeps an attempt that succeeded although it was told to stop", () => {
  const walk = conversation(createWalk(dag([step("a"), step("b", { needs: ["a"] })]), { startedMs: 0 }));
  walk.cancel();

  expect(walk.ok("a")).toEqual(["finish a succeeded", "settle cancelled RUN_CANCELLED"]);
});

it("runs no more items at once than maxParallel, and a waiting retry holds no place", () => {
  const spec = step("a", { forEach: list(10, 2), retry: { ...step("a").retry, maxAttempts: 2 } });
  const walk = conversation(createWalk(dag([spec]), { startedMs: 0 }));

  expect(walk.run("a", 4)).toEqual(["dispatch a/0/1", "dispatch a/1/1"]);
  expect(walk.fail("a", 0, 1, "transient")).toEqual(["wait a/0/1 1100", "dispatch a/2/1"]);
  expect(walk.due("a", 1)).toEqual([]);
  expect(walk.ok("a", 1)).toEqual(["dispatch a/0/2"]);
  expect(walk.ok("a", 0, 2)).toEqual(["dispatch a/3/1"]);
  expect(walk.ok("a", 2)).toEqual([]);
  expect(walk.ok("a", 3)).toEqual(["finish a succeeded", "settle succeeded"]);
});

it("marks attempts of steps with any effects, and of steps it knows nothing about", () => {
  const { commands } = createWalk(dag([step("a"), step("b"), step("c")], { effects: { a: "none", b: "any" } }), {
    startedMs: 0,
  });

  expect(commands.filter((c) => c.kind === "dispatch").map((c) => c.mark)).toEqual([false, true, true]);
});

it("throws for the end of an attempt that was never dispatched", () => {
  const walk = conversation(createWalk(dag([step("a")]), { startedMs: 0 }));

  expect(() => walk.ok("a", 0, 2)).toThrow(expect.objectContaining({ code: "ERR_ILLEGAL_TRANSITION" }) as Error);
  expect(() => walk.ok("a", 1)).toThrow(expect.objectContaining({ code: "ERR_ILLEGAL_TRANSITION" }) as Error);
});

it("takes an outcome that is told twice once", () => {
  const walk = conversation(createWalk(dag([step("a"), step("b")]), { startedMs: 0 }));
  walk.ok("a");

  expect(walk.ok("a")).toEqual([]);
  expect(walk.fail("a")).toEqual([]);
});

it("leaves an ended step in its state whatever comes late", () => {
  for (const state of ["succeeded", "failed", "skipped", "cancelled", "timed_out"] as const) {
    expect(stepTransitions[state].cancelled).toBe("ignored");
    expect(stepTransitions[state].retry_due).toBe("ignored");
  }
});
