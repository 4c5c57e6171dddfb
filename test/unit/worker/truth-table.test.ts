import { describe, expect, it } from "vitest";
import { failing, hanging } from "../../support/fake-hosts.ts";
import { dag, finallyOf, setup } from "./worker-fixture.ts";

/* Each row of the truth table of steps (docs/state-machines.md), end to end: from the claimed run to its record. */
describe("truth table", () => {
  it("row 1: a step whose needs succeeded runs, with or without a true when", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({
        a: { with: { n: 1 } },
        b: { needs: ["a"], with: { seen: "${{ steps.a.outputs.echo.n }}" } },
        c: { needs: ["a"], when: "${{ steps.a.outputs.echo.n == 1 }}" },
      }),
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.record(run).status).toBe("succeeded");
    expect(bench.output(run, "b")).toEqual({ echo: { seen: 1 } });
    expect(bench.step(run, "c").status).toBe("succeeded");
  });

  it("row 2: a false when skips", async () => {
    const bench = await setup();
    const run = bench.admit({ spec: dag({ a: { when: "${{ 1 > 2 }}" } }) });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.step(run, "a")).toMatchObject({ status: "skipped", reason: "when", outputsHash: null, attempts: [] });
    const ended = { kind: "step_ended", stepId: "a", status: "skipped", reason: "when", code: null };
    expect(bench.events).toContainEqual(expect.objectContaining(ended));
    expect(bench.record(run).status).toBe("succeeded");
  });

  it.each([
    ["when fails", { when: "${{ inputs.nothing.here }}" }],
    ["when is no boolean", { when: "${{ 1 }}" }],
    ["with fails", { with: { x: "${{ inputs.nothing }}" } }],
    ["forEach fails", { forEach: { in: "${{ inputs.nothing.here }}" } }],
    ["forEach is no list", { forEach: { in: "${{ 1 }}" } }],
  ])("row 3: %s: failed, ERR_EXPR, and nothing ran", async (_what, step) => {
    const bench = await setup();
    const run = bench.admit({ spec: dag({ a: step }) });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.step(run, "a")).toMatchObject({ status: "failed", reason: "err_expr", attempts: [] });
    expect(bench.record(run)).toMatchObject({ status: "failed", errorClass: "permanent", code: "ERR_EXPR" });
    expect(bench.hosts.requests).toEqual([]);
  });

  it.each([
    ["failed", failing("STEP_FAILED"), "failed"],
    ["timed out", failing("STEP_TIMEOUT"), "timed_out"],
  ])("row 4: a need that %s skips what needs it", async (_what, result, status) => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({ a: {}, b: { needs: ["a"] } }),
      plugins: { a: { run: () => result } },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.step(run, "a").status).toBe(status);
    expect(bench.step(run, "b")).toMatchObject({ status: "skipped", reason: "upstream_failed" });
    expect(bench.record(run).status).toBe("failed");
  });

  it("row 5: a need with continueOnError lets go on, stays failed and has no outputs", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({
        a: { continueOnError: true },
        b: { needs: ["a"], with: { seen: "${{ steps.a.status }}", has: "${{ has(steps.a.outputs) }}" } },
      }),
      plugins: { a: { run: () => failing("STEP_FAILED") } },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.step(run, "a").status).toBe("failed");
    expect(bench.output(run, "b")).toEqual({ echo: { seen: "failed", has: false } });
    expect(bench.record(run).status).toBe("succeeded");
  });

  it("row 6: a need that was skipped skips what needs it", async () => {
    const bench = await setup();
    const run = bench.admit({ spec: dag({ a: { when: "${{ false }}" }, b: { needs: ["a"] } }) });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.step(run, "b")).toMatchObject({ status: "skipped", reason: "upstream_skipped" });
    expect(bench.record(run).status).toBe("succeeded");
  });

  it("row 7: a when that reads a step's status lifts the gate for that step only", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({
        a: {},
        other: {},
        repair: { needs: ["a"], when: '${{ steps.a.status == "failed" }}' },
        strict: { needs: ["a", "other"], when: '${{ steps.a.status == "failed" }}' },
      }),
      plugins: { a: { run: () => failing("STEP_FAILED") }, other: { run: () => failing("STEP_FAILED") } },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.step(run, "repair").status).toBe("succeeded");
    expect(bench.step(run, "strict")).toMatchObject({ status: "skipped", reason: "upstream_failed" });
  });

  it("row 8: of needs with mixed outcomes all are waited for, and the worst names the reason", async () => {
    const bench = await setup();
    let release: () => void = () => undefined;
    const run = bench.admit({
      spec: dag({ bad: {}, skipped: { when: "${{ false }}" }, slow: {}, z: { needs: ["bad", "skipped", "slow"] } }),
      plugins: {
        bad: { run: () => failing("STEP_FAILED") },
        slow: { run: () => new Promise((resolve) => (release = () => resolve({}))) },
      },
    });
    await bench.worker().start();
    await bench.until(() => bench.attempts(run, "bad").length === 1);
    await bench.quiet();

    expect(bench.events.some((event) => event.kind === "step_ended" && event.stepId === "z")).toBe(false);
    release();
    await bench.untilSettled(run);

    expect(bench.step(run, "z")).toMatchObject({ status: "skipped", reason: "upstream_failed" });
  });

  it("row 9: a cancelled run cancels what runs and what waits, and asks no when", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({ a: {}, b: { needs: ["a"], when: "${{ inputs.nothing.here }}" } }),
      plugins: { a: { run: hanging } },
    });
    const worker = bench.worker();
    await worker.start();
    await bench.until(() => bench.hosts.running === 1);

    bench.queue.askCancel(run, "wrong day");
    worker.wake();
    await bench.untilSettled(run);

    expect(bench.record(run)).toMatchObject({ status: "cancelled", errorClass: "cancelled", code: "RUN_CANCELLED" });
    expect(bench.record(run).rationale).toContainEqual({ source: "cancel", text: "user omar: wrong day" });
    expect(bench.step(run, "a")).toMatchObject({ status: "cancelled", attempts: [{ code: "RUN_CANCELLED" }] });
    expect(bench.step(run, "b")).toMatchObject({ status: "cancelled", attempts: [] });
  });

  it("row 9: a run that times out, counted from its first start, does the same", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({ a: {}, b: { needs: ["a"] } }, { timeout: 60_000 }),
      plugins: { a: { run: hanging } },
    });
    await bench.clock.advance(50_000);
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.record(run)).toMatchObject({ status: "timed_out", errorClass: "timeout", code: "RUN_TIMEOUT" });
    expect(bench.record(run).durationMs).toBe(60_000);
    expect(bench.step(run, "a")).toMatchObject({ status: "cancelled", attempts: [{ code: "RUN_TIMEOUT" }] });
  });

  it("row 10: forEach over nothing succeeds with an empty list", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({
        a: { forEach: { in: [] } },
        b: { needs: ["a"], with: { n: "${{ size(steps.a.outputs) }}" } },
      }),
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.step(run, "a")).toMatchObject({ status: "succeeded", items: 0, attempts: [] });
    expect(bench.step(run, "a").outputsHash).not.toBeNull();
    expect(bench.output(run, "b")).toEqual({ echo: { n: 0 } });
  });

  it("row 11: when some items fail the others go on, and the step fails", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({ a: { forEach: { in: [0, 1, 2], as: "n" }, with: { n: "${{ n }}" } } }),
      plugins: { a: { run: (input) => (input["n"] === 1 ? failing("STEP_FAILED") : { n: input["n"] ?? null }) } },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.attempts(run, "a").map((attempt) => attempt.status)).toEqual(["succeeded", "failed", "succeeded"]);
    expect(bench.step(run, "a")).toMatchObject({ status: "failed", items: 3, outputsHash: null });
  });

  it("row 11: with continueOnError its outputs keep the index, null where one failed", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({
        a: { forEach: { in: [0, 1, 2], as: "n" }, with: { n: "${{ n }}" }, continueOnError: true },
        b: { needs: ["a"], with: { list: "${{ steps.a.outputs }}" } },
      }),
      plugins: { a: { run: (input) => (input["n"] === 1 ? failing("STEP_FAILED") : { n: input["n"] ?? null }) } },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.output(run, "b")).toEqual({ echo: { list: [{ n: 0 }, null, { n: 2 }] } });
    expect(bench.record(run).status).toBe("succeeded");
  });

  it.each([
    ["succeeded", {}],
    ["failed", failing("STEP_FAILED")],
  ])("row 12: finally runs once after a run that %s and sees its status", async (status, result) => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({ a: {} }, finallyOf({ tidy: { with: { run: "${{ run.status }}", a: "${{ steps.a.status }}" } } })),
      plugins: { a: { run: () => result } },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.output(run, "tidy")).toEqual({ echo: { run: status, a: status } });
    expect(bench.attempts(run, "tidy")).toHaveLength(1);
    expect(bench.record(run).status).toBe(status);
    expect(bench.step(run, "tidy").finally).toBe(true);
  });

  it("row 12: finally runs after a cancel too", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({ a: {} }, finallyOf({ tidy: { with: { run: "${{ run.status }}" } } })),
      plugins: { a: { run: hanging } },
    });
    await bench.worker().start();
    await bench.until(() => bench.hosts.running === 1);

    bench.queue.askCancel(run);
    await bench.untilSettled(run);

    expect(bench.output(run, "tidy")).toEqual({ echo: { run: "cancelled" } });
    expect(bench.record(run).status).toBe("cancelled");
  });

  it("row 12: a finally that fails makes a succeeded run fail", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({ a: {} }, finallyOf({ tidy: {} })),
      plugins: { tidy: { run: () => failing("STEP_FAILED") } },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.step(run, "a").status).toBe("succeeded");
    expect(bench.record(run)).toMatchObject({ status: "failed", code: "STEP_FAILED" });
  });
});
