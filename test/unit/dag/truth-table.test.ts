import { describe, expect, it } from "vitest";
import { createWalk, decideStep, type StepStatus } from "../../../src/dag/index.ts";
import type { StepSpec } from "../../../src/spec/index.ts";
import { conversation, dag, list, step } from "./walk-fixture.ts";

const start = (steps: readonly StepSpec[], fields = {}) =>
  conversation(createWalk(dag(steps, fields), { startedMs: 0 }));

describe("truth table of steps", () => {
  it("row 1: runs when its needs succeeded and when is absent or true", () => {
    const walk = start([step("a"), step("b", { needs: ["a"] }), step("c", { needs: ["a"], when: "${{ true }}" })]);

    expect(walk.first).toEqual(["dispatch a/0/1"]);
    expect(walk.ok("a")).toEqual(["finish a succeeded", "dispatch b/0/1", "evaluate c"]);
    expect(walk.run("c")).toEqual(["dispatch c/0/1"]);
    walk.ok("b");
    expect(walk.ok("c")).toEqual(["finish c succeeded", "settle succeeded"]);
  });

  it("row 2: skips with reason when where when is false; the run succeeds", () => {
    const walk = start([step("a", { when: "${{ false }}" })]);

    expect(walk.skip("a")).toEqual(["finish a skipped when", "settle succeeded"]);
  });

  it("row 3: an expression that fails makes the step fail permanently, without an attempt", () => {
    const walk = start([step("a", { when: "${{ 1 }}" }), step("b")]);
    walk.ok("b");

    const answer = { kind: "failed", class: "permanent", code: "ERR_EXPR" } as const;
    const words = walk.tell({ kind: "evaluated", stepId: "a", answer, atMs: 1 });

    expect(words).toEqual(["finish a failed err_expr", "settle failed ERR_EXPR"]);
  });

  it("row 3: with that does not resolve fails the item and is not retried", () => {
    const retry = { ...step("x").retry, maxAttempts: 5, errors: ["permanent"] as const };
    const walk = start([step("a", { retry })]);

    const words = walk.tell({
      kind: "not_started",
      stepId: "a",
      index: 0,
      attempt: 1,
      class: "permanent",
      code: "ERR_INPUT_SCHEMA",
      atMs: 1,
    });

    expect(words).toEqual(["finish a failed err_input_schema", "settle failed ERR_INPUT_SCHEMA"]);
  });

  it("row 3: forEach that gives no list, and more items than maxItems, fail", () => {
    const wrong = start([step("a", { forEach: list() })]);
    const many = start([step("a", { forEach: list(2) })]);

    expect(wrong.run("a", null)).toEqual(["finish a failed err_expr", "settle failed ERR_EXPR"]);
    expect(many.run("a", 3)).toEqual(["finish a failed for_each_too_many", "settle failed FOR_EACH_TOO_MANY"]);
  });

  it("row 4: a need that failed or timed out skips it with upstream_failed", () => {
    const failed = start([step("a"), step("b", { needs: ["a"] })]);
    const timedOut = start([step("a"), step("b", { needs: ["a"] })]);

    expect(failed.fail("a")).toEqual([
      "finish a failed",
      "finish b skipped upstream_failed",
      "settle failed STEP_FAILED",
    ]);
    expect(
      timedOut.tell({
        kind: "attempt_ended",
        stepId: "a",
        index: 0,
        attempt: 1,
        status: "timed_out",
        class: "timeout",
        code: "STEP_TIMEOUT",
        endedMs: 1,
      }),
    ).toEqual(["finish a timed_out", "finish b skipped upstream_failed", "settle failed STEP_TIMEOUT"]);
  });

  it("row 5: a need that failed with continueOnError lets it run; the need stays failed, the run succeeds", () => {
    const walk = start([step("a", { continueOnError: true }), step("b", { needs: ["a"] })]);

    expect(walk.fail("a")).toEqual(["finish a failed", "dispatch b/0/1"]);
    expect(walk.walk.steps.get("a")?.end?.publishes).toBe("none");
    expect(walk.ok("b")).toEqual(["finish b succeeded", "settle succeeded"]);
  });

  it("row 6: a skipped need skips it with upstream_skipped, all the way down", () => {
    const walk = start([step("a", { when: "${{ false }}" }), step("b", { needs: ["a"] }), step("c", { needs: ["b"] })]);

    expect(walk.skip("a")).toEqual([
      "finish a skipped when",
      "finish b skipped upstream_skipped",
      "finish c skipped upstream_skipped",
      "settle succeeded",
    ]);
  });

  it("row 7: a when that reads steps.X.status lifts the gate for X only", () => {
    const steps = [step("a"), step("b"), step("c", { needs: ["a", "b"], when: "${{ steps.a.status == 'failed' }}" })];
    const lifted = start(steps, { statusReads: { c: ["a"] } });
    const other = start(steps, { statusReads: { c: ["a"] } });

    lifted.fail("a");
    expect(lifted.ok("b")).toEqual(["finish b succeeded", "evaluate c"]);
    other.ok("a");
    expect(other.fail("b")).toEqual([
      "finish b failed",
      "finish c skipped upstream_failed",
      "settle failed STEP_FAILED",
    ]);
  });

  it.each([
    [["cancelled", "failed", "skipped"], "upstream_cancelled"],
    [["skipped", "failed", "succeeded"], "upstream_failed"],
    [["timed_out", "skipped", "succeeded"], "upstream_failed"],
    [["skipped", "succeeded", "succeeded"], "upstream_skipped"],
  ] as const)("row 8: of the outcomes %j the reason is %s", (statuses, reason) => {
    const upstream = new Map(statuses.map((status, i) => [`s${i}`, { status, continueOnError: false }]));
    const situation = { upstream, needs: ["s0", "s1", "s2"], lifted: new Set<string>(), ended: false };

    expect(decideStep({ ...situation, evaluation: null, maxItems: null })).toEqual({ kind: "skip", reason });
  });

  it("row 8: waits for all needs before any gate speaks", () => {
    const walk = start([step("a"), step("b"), step("c", { needs: ["a", "b"] })]);

    expect(walk.fail("a")).toEqual(["finish a failed"]);
    expect(walk.ok("b")).toEqual([
      "finish b succeeded",
      "finish c skipped upstream_failed",
      "settle failed STEP_FAILED",
    ]);
  });

  it("row 9: a cancelled run cancels what waits and what runs, and asks no when", () => {
    const walk = start([step("a"), step("b", { needs: ["a"], when: "${{ true }}" })]);

    expect(walk.cancel()).toEqual(["abort a/0/1", "finish b cancelled"]);
    expect(walk.aborted("a")).toEqual(["finish a cancelled", "settle cancelled RUN_CANCELLED"]);
  });

  it("row 9: a run that timed out ends timed_out with its steps cancelled", () => {
    const walk = start([step("a"), step("b", { needs: ["a"] })]);

    expect(walk.timeOut()).toEqual(["abort a/0/1", "finish b cancelled"]);
    expect(walk.cancel()).toEqual([]);
    expect(walk.aborted("a")).toEqual(["finish a cancelled", "settle timed_out RUN_TIMEOUT"]);
  });

  it("row 10: forEach over an empty list succeeds with an empty list", () => {
    const walk = start([step("a", { forEach: list() }), step("b", { needs: ["a"] })]);

    expect(walk.run("a", 0)).toEqual(["finish a succeeded", "dispatch b/0/1"]);
    expect(walk.walk.steps.get("a")?.end).toMatchObject({ publishes: "list", items: 0 });
  });

  it("row 11: the other items go on when one fails; the step failed", () => {
    const walk = start([step("a", { forEach: list() })]);

    expect(walk.run("a", 3)).toEqual(["dispatch a/0/1", "dispatch a/1/1", "dispatch a/2/1"]);
    expect(walk.fail("a", 1)).toEqual([]);
    expect(walk.ok("a", 2)).toEqual([]);
    expect(walk.ok("a", 0)).toEqual(["finish a failed", "settle failed STEP_FAILED"]);
    expect(walk.walk.steps.get("a")?.end?.publishes).toBe("none");
  });

  it("row 11: with continueOnError the outputs keep their index", () => {
    const walk = start([step("a", { forEach: list(), continueOnError: true })]);
    walk.run("a", 2);
    walk.fail("a", 0);

    expect(walk.ok("a", 1)).toEqual(["finish a failed", "settle succeeded"]);
    expect(walk.walk.steps.get("a")?.end).toMatchObject({ publishes: "list", items: 2 });
  });

  it("row 12: finally runs once after all steps, and its failure fails a succeeded run", () => {
    const walk = start([step("a")], { finally: [step("tidy")] });

    expect(walk.ok("a")).toEqual(["finish a succeeded", "finally succeeded", "dispatch tidy/0/1"]);
    expect(walk.fail("tidy")).toEqual(["finish tidy failed", "settle failed STEP_FAILED"]);
  });

  it("row 12: finally runs in a cancelled run too, and does not change its status", () => {
    const walk = start([step("a")], { finally: [step("tidy")] });
    walk.cancel();

    expect(walk.aborted("a")).toEqual(["finish a cancelled", "finally cancelled", "dispatch tidy/0/1"]);
    expect(walk.cancel()).toEqual([]);
    expect(walk.fail("tidy")).toEqual(["finish tidy failed", "settle cancelled RUN_CANCELLED"]);
  });

  it("row 12: finally has its own timeout", () => {
    const walk = start([step("a")], { finally: [step("tidy"), step("x", { needs: ["tidy"] })] });
    walk.ok("a");

    const words = walk.tell({ kind: "due", timer: { kind: "finally_timeout" }, atMs: 9e6 });

    expect(words).toEqual(["abort tidy/0/1", "finish x cancelled"]);
    expect(walk.aborted("tidy")).toEqual(["finish tidy cancelled", "settle failed RUN_TIMEOUT"]);
  });

  it("row 12: a finally step that needs a step proper is not gated by it", () => {
    const walk = start([step("a")], { finally: [step("tidy", { needs: ["a"] })] });

    expect(walk.fail("a")).toEqual(["finish a failed", "finally failed", "dispatch tidy/0/1"]);
  });

  it("decides every combination of two needs without a hole", () => {
    const statuses: (StepStatus | null)[] = [null, "succeeded", "failed", "timed_out", "skipped", "cancelled"];
    const seen = new Set<string>();
    const situations = statuses.flatMap((a) =>
      statuses.flatMap((b) =>
        [true, false].flatMap((lenient) => [[], ["a"], ["a", "b"]].map((lifted) => ({ a, b, lenient, lifted }))),
      ),
    );
    for (const { a, b, lenient, lifted } of situations) {
      const upstream = new Map([
        ["a", { status: a, continueOnError: lenient }],
        ["b", { status: b, continueOnError: false }],
      ]);
      const at = { upstream, needs: ["a", "b"], lifted: new Set(lifted), ended: false };
      const decision = decideStep({ ...at, evaluation: null, maxItems: null });
      seen.add(decision.kind);
      expect(decision.kind === "wait").toBe(a === null || b === null);
    }
    expect([...seen].sort()).toEqual(["evaluate", "skip", "wait"]);
  });
});
