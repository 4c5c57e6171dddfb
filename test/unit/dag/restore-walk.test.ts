import { expect, it } from "vitest";
import { createWalk, restoreWalk, type StoredAttempt } from "../../../src/dag/index.ts";
import { conversation, dag, list, step } from "./walk-fixture.ts";

const stored = (stepId: string, fields: Partial<StoredAttempt> = {}): StoredAttempt => ({
  stepId,
  index: 0,
  attempt: 1,
  status: "succeeded",
  class: null,
  code: null,
  endedMs: 100,
  ...fields,
});

it("goes on after the last stored attempt without executing it again", () => {
  const spec = dag([step("a"), step("b", { needs: ["a"] }), step("c", { needs: ["b"] })]);
  const walk = conversation(restoreWalk(spec, { startedMs: 0, rescues: 0, attempts: [stored("a")], marks: [] }));

  expect(walk.first).toEqual(["finish a succeeded", "dispatch b/0/1"]);
});

it("starts only the items that have no outcome", () => {
  const spec = dag([step("a", { forEach: list(10, 1) })]);
  const attempts = [stored("a", { index: 0 }), stored("a", { index: 2 })];
  const walk = conversation(restoreWalk(spec, { startedMs: 0, rescues: 0, attempts, marks: [] }));

  expect(walk.first).toEqual(["evaluate a"]);
  expect(walk.run("a", 4)).toEqual(["dispatch a/1/1"]);
});

it("keeps the instant of a retry that waited when the worker died", () => {
  const retry = { ...step("a").retry, maxAttempts: 3 };
  const failed = stored("a", { status: "failed", class: "transient", code: "STEP_FAILED" });
  const walk = conversation(
    restoreWalk(dag([step("a", { retry })]), { startedMs: 0, rescues: 0, attempts: [failed], marks: [] }),
  );

  expect(walk.first).toEqual(["wait a/0/1 1100"]);
  expect(walk.due("a", 1)).toEqual(["dispatch a/0/2"]);
});

it("stores a begun attempt of a step with any effects as lost, and never repeats it", () => {
  const spec = dag([step("a"), step("b", { needs: ["a"] })], { effects: { a: "any" } });
  const marks = [{ stepId: "a", index: 0, attempt: 1, startedMs: 5 }];
  const walk = conversation(restoreWalk(spec, { startedMs: 0, rescues: 0, attempts: [], marks }));

  expect(walk.first).toEqual(["settle_lost a/0/1"]);
  expect(walk.fail("a", 0, 1, "lost")).toEqual([
    "finish a failed",
    "finish b skipped upstream_failed",
    "settle failed LOST_OUTCOME_UNKNOWN",
  ]);
});

it("repeats it where the step consents to lost", () => {
  const retry = { ...step("a").retry, maxAttempts: 2, errors: ["lost"] as const };
  const marks = [{ stepId: "a", index: 0, attempt: 1, startedMs: 5 }];
  const spec = dag([step("a", { retry })], { effects: { a: "any" } });
  const walk = conversation(restoreWalk(spec, { startedMs: 0, rescues: 0, attempts: [], marks }));

  expect(walk.fail("a", 0, 1, "lost")).toEqual(["wait a/0/1 1100"]);
  expect(walk.due("a", 1)).toEqual(["dispatch a/0/2"]);
});

it("lets a cancel wait until all that is stored is taken in", () => {
  const spec = dag([step("a", { when: "${{ true }}" }), step("b", { needs: ["a"] })]);
  const walk = conversation(restoreWalk(spec, { startedMs: 0, rescues: 0, attempts: [stored("a")], marks: [] }));

  expect(walk.cancel()).toEqual([]);
  expect(walk.run("a")).toEqual(["finish a succeeded", "finish b cancelled", "settle cancelled RUN_CANCELLED"]);
});

it("knows from an outcome of finally that the run had been cancelled, or had timed out", () => {
  const spec = dag([step("a")], { finally: [step("tidy"), step("z", { needs: ["tidy"] })], timeoutMs: 1000 });
  const at = (endedMs: number) =>
    conversation(restoreWalk(spec, { startedMs: 0, rescues: 0, attempts: [stored("tidy", { endedMs })], marks: [] }))
      .first;

  expect(at(900)).toEqual(["finish a cancelled", "finally cancelled", "finish tidy succeeded", "dispatch z/0/1"]);
  expect(at(1000)).toEqual(["finish a cancelled", "finally timed_out", "finish tidy succeeded", "dispatch z/0/1"]);
});

it("counts the run's timeout from its first start", () => {
  const first = createWalk(dag([step("a")], { timeoutMs: 60_000 }), { startedMs: 7 });
  const again = restoreWalk(dag([step("a")], { timeoutMs: 60_000 }), {
    startedMs: 7,
    rescues: 0,
    attempts: [],
    marks: [],
  });
  const deadline = { kind: "wait", timer: { kind: "run_timeout" }, untilMs: 60_007 };

  expect(first.commands).toContainEqual(deadline);
  expect(again.commands).toContainEqual(deadline);
});

it("refuses a graph with a cycle", () => {
  const cyclic = dag([step("a", { needs: ["b"] }), step("b", { needs: ["a"] })]);

  expect(() => createWalk(cyclic, { startedMs: 0 })).toThrow(expect.objectContaining({ code: "DAG_CYCLE" }) as Error);
});

it("counts the death of a worker as one of the three repeats of a step, and marks all that it starts from then on", () => {
  const spec = dag([step("a")], { effects: { a: "idempotent" } });
  const again = (lost: number) => {
    const attempts = Array.from({ length: lost }, (_, n) =>
      stored("a", { attempt: n + 1, status: "failed", class: "lost", code: "SANDBOX_LOST" }),
    );
    const marks = [{ stepId: "a", index: 0, attempt: lost + 1, startedMs: 5 }];
    return conversation(restoreWalk(spec, { startedMs: 0, rescues: lost + 2, attempts, marks }));
  };
  const first = restoreWalk(spec, { startedMs: 0, rescues: 1, attempts: [], marks: [] });

  expect(first.commands.filter(({ kind }) => kind === "dispatch")).toMatchObject([{ attempt: 1, mark: true }]);
  expect(again(0).first).toEqual(["settle_lost a/0/1"]);
  expect(again(0).fail("a", 0, 1, "lost")).toEqual(["wait a/0/1 1100"]);
  expect(again(1).fail("a", 0, 2, "lost")).toEqual(["wait a/0/2 2100"]);
  expect(again(2).fail("a", 0, 3, "lost")).toEqual(["finish a failed", "settle failed SANDBOX_LOST"]);
});

it("keeps repeats that were made before the first death: what is stored is never judged away", () => {
  const lost = [1, 2, 3].map((attempt) =>
    stored("a", { attempt, status: "failed", class: "lost", code: "SANDBOX_LOST" }),
  );
  const attempts = [...lost, stored("a", { attempt: 4 })];
  const walk = conversation(restoreWalk(dag([step("a")]), { startedMs: 0, rescues: 1, attempts, marks: [] }));

  expect(walk.first).toEqual(["finish a succeeded", "settle succeeded"]);
});
