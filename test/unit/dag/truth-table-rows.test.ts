import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createWalk } from "../../../src/dag/index.ts";
import type { StepSpec } from "../../../src/spec/index.ts";
import { conversation, dag, list, step } from "./walk-fixture.ts";

const start = (steps: readonly StepSpec[], fields = {}) =>
  conversation(createWalk(dag(steps, fields), { startedMs: 0 }));

describe("truth table of steps, where rules meet", () => {
  it("row 13: a need that timed out with continueOnError lets it run", () => {
    const walk = start([step("a", { continueOnError: true }), step("b", { needs: ["a"] })]);

    const words = walk.tell({
      ...{ kind: "attempt_ended", stepId: "a", index: 0, attempt: 1 },
      ...{ status: "timed_out", class: "timeout", code: "STEP_TIMEOUT", endedMs: 1 },
    });

    expect(words).toEqual(["finish a timed_out", "dispatch b/0/1"]);
    expect(walk.ok("b")).toEqual(["finish b succeeded", "settle succeeded"]);
  });

  it("row 14: continueOnError on a skipped need does not let it run", () => {
    const walk = start([step("a", { when: "${{ false }}", continueOnError: true }), step("b", { needs: ["a"] })]);

    expect(walk.skip("a")).toEqual(["finish a skipped when", "finish b skipped upstream_skipped", "settle succeeded"]);
  });

  it("row 15: a when that reads the status of a skipped need is asked", () => {
    const steps = [
      step("a", { when: "${{ false }}" }),
      step("b", { needs: ["a"], when: "${{ steps.a.status == 'skipped' }}" }),
    ];
    const walk = start(steps, { statusReads: { b: ["a"] } });

    expect(walk.skip("a")).toEqual(["finish a skipped when", "evaluate b"]);
    expect(walk.run("b")).toEqual(["dispatch b/0/1"]);
  });

  it("row 16: a false when skips all of a forEach", () => {
    const walk = start([step("a", { when: "${{ false }}", forEach: list() }), step("b", { needs: ["a"] })]);

    expect(walk.first).toEqual(["evaluate a"]);
    expect(walk.skip("a")).toEqual(["finish a skipped when", "finish b skipped upstream_skipped", "settle succeeded"]);
    expect(walk.walk.steps.get("a")?.end?.publishes).toBe("none");
  });

  it("row 17: a run whose steps are all skipped succeeded", () => {
    const walk = start([step("a", { when: "${{ false }}" }), step("b", { when: "${{ false }}" })]);
    walk.skip("a");

    expect(walk.skip("b")).toEqual(["finish b skipped when", "settle succeeded"]);
  });

  it("row 18: a step that needs an empty fan-out runs, and so does a fan-out over nothing behind it", () => {
    const walk = start([
      step("a", { forEach: list() }),
      step("b", { needs: ["a"], forEach: list() }),
      step("c", { needs: ["b"] }),
    ]);

    expect(walk.run("a", 0)).toEqual(["finish a succeeded", "evaluate b"]);
    expect(walk.run("b", 0)).toEqual(["finish b succeeded", "dispatch c/0/1"]);
  });

  it("row 19: a finally step whose when is false is skipped, and the run keeps its status", () => {
    const failed = start([step("a")], { finally: [step("tidy", { when: "${{ false }}" })] });

    expect(failed.fail("a")).toEqual(["finish a failed", "finally failed", "evaluate tidy"]);
    expect(failed.skip("tidy")).toEqual(["finish tidy skipped when", "settle failed STEP_FAILED"]);
  });

  it("row 20: a finally step behind one that failed is skipped", () => {
    const walk = start([step("a")], { finally: [step("x"), step("y", { needs: ["x"] })] });
    walk.ok("a");

    expect(walk.fail("x")).toEqual([
      "finish x failed",
      "finish y skipped upstream_failed",
      "settle failed STEP_FAILED",
    ]);
  });

  it("row 21: a finally step that fails with continueOnError leaves the run succeeded", () => {
    const walk = start([step("a")], { finally: [step("tidy", { continueOnError: true })] });
    walk.ok("a");

    expect(walk.fail("tidy")).toEqual(["finish tidy failed", "settle succeeded"]);
  });

  it("row 22: a step that succeeds at its second attempt gates nothing", () => {
    const retry = { ...step("x").retry, maxAttempts: 2 };
    const walk = start([step("a", { retry }), step("b", { needs: ["a"] })]);

    const [wait = ""] = walk.fail("a", 0, 1, "transient");
    const again = walk.due("a", 1);

    expect(wait).toMatch(/^wait a\/0\/1/);
    expect(again).toEqual(["dispatch a/0/2"]);
    expect(walk.ok("a", 0, 2)).toEqual(["finish a succeeded", "dispatch b/0/1"]);
  });
});

describe("docs/conditions.md", () => {
  it("has a row for each number that is tested, and a test for each row", () => {
    const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
    const tested = ["./truth-table.test.ts", "./truth-table-rows.test.ts"].flatMap((file) =>
      [...read(file).matchAll(/\bit(?:\.each)?\([\s\S]{0,400}?"row (\d+):/g)].map(([, row]) => Number(row)),
    );
    const written = [...read("../../../docs/conditions.md").matchAll(/^\| (\d+) \|/gm)].map(([, row]) => Number(row));

    const known = [...new Set(tested)].sort((a, b) => a - b);
    expect(written).toEqual(known);
    expect(written).toEqual(Array.from({ length: written.length }, (_, n) => n + 1));
  });
});
