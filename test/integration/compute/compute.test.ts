import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/base/index.ts";
import { type Compute, createCompute } from "../../../src/compute/index.ts";
import type { ExpressionAnswer } from "../../../src/spec/index.ts";
import { bytesOf, dagText, exampleBytes } from "../../support/spec-fixtures.ts";

const never = new AbortController().signal;
const names = (count: number): readonly string[] => Array.from({ length: count }, (_, n) => `name${String(n)}`);
/** Within the static bound (300 x 300 turns), but about 100 ms of work. */
const heavy = {
  template: "${{ inputs.xs.map(a, inputs.ys.map(b, (a + b).size() > 3 && a < b)).size() }}",
  scope: { inputs: { xs: names(300), ys: names(300) } },
};

describe("compute", () => {
  let compute: Compute;
  beforeAll(async () => {
    compute = createCompute({ threads: 2 });
    await compute.start();
  });
  afterAll(() => compute.stop());

  it("evaluates in a thread", async () => {
    const scope: JsonObject = {
      inputs: { n: 1 },
      steps: { a: { status: "succeeded", outputs: { n: 2 } }, b: { status: "failed" } },
    };

    const answer = await compute.evaluate({ template: { sum: "${{ inputs.n + steps.a.outputs.n }}" }, scope }, never);

    expect(answer).toEqual({ ok: true, value: { sum: 3 } });
  });

  it("copies no outputs that the template does not name, and all that it does", async () => {
    const big = { text: "x".repeat(900_000) };
    const scope: JsonObject = {
      steps: Object.fromEntries(names(10).map((name) => [name, { status: "succeeded", outputs: big }])),
    };

    const answer = await compute.evaluate(
      { template: "${{ steps.name3.status + string(steps['name4'].outputs.text.size()) }}", scope },
      never,
    );

    expect(answer).toEqual({ ok: true, value: "succeeded900000" });
  });

  it("answers constants as they are", async () => {
    expect(await compute.evaluate({ template: { a: [1, "x"] }, scope: {} }, never)).toEqual({
      ok: true,
      value: { a: [1, "x"] },
    });
    expect(await compute.evaluate({ kind: "list", template: "x", scope: {} }, never)).toMatchObject({
      ok: false,
      code: "ERR_EXPR",
    });
  });

  it("decodes documents in their order, good and bad", async () => {
    const documents = Array.from({ length: 100 }, (_, n) => ({
      path: `tenants/acme/dags/d${String(n)}.yaml`,
      bytes: n % 7 === 0 ? bytesOf("kind: [") : exampleBytes("tenants/acme/dags/hello.yaml"),
    }));

    const decoded = await compute.decode(documents, never);

    expect(decoded.map(({ ok }) => ok)).toEqual(documents.map((_, n) => n % 7 !== 0));
    const hashes = decoded.flatMap((result) => (result.ok ? [result.document.specHash] : []));
    expect(new Set(hashes).size).toBe(1);
    expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
  });

  it("sends no more of a huge file than it refuses", async () => {
    const [decoded] = await compute.decode([{ path: "orrery.yaml", bytes: new Uint8Array(64 * 1024 * 1024) }], never);

    expect(decoded).toMatchObject({ ok: false, findings: [{ code: "SPEC_TOO_LARGE" }] });
  });

  it("checks inputs and outputs", async () => {
    const schema = { type: "object" };

    expect(await compute.checkInput({ value: { b: 1, a: 2 }, schema }, never)).toMatchObject({
      ok: true,
      text: '{"a":2,"b":1}',
    });
    expect(
      await compute.checkOutput({ text: '{"a":1}', schema, emits: "raw", service: "core", maxBytes: 100 }, never),
    ).toMatchObject({ ok: true });
    expect(
      await compute.checkOutput({ text: "{", schema, emits: "raw", service: "core", maxBytes: 100 }, never),
    ).toMatchObject({ ok: false });
  });

  it("lets an expression past thousands of documents that wait", async () => {
    const documents = Array.from({ length: 800 }, () => ({
      path: "tenants/acme/dags/a.yaml",
      bytes: exampleBytes("tenants/acme/dags/nightly-vex.yaml"),
    }));
    let decodedAll = false;
    const decoding = compute.decode(documents, never).then(() => {
      decodedAll = true;
    });

    await compute.evaluate({ template: "${{ 1 + 1 }}", scope: {} }, never);

    expect(decodedAll).toBe(false);
    await decoding;
  });

  it("keeps the event loop free while 1,000 documents are decoded", async () => {
    const bytes = exampleBytes("tenants/acme/dags/nightly-vex.yaml");
    const documents = Array.from({ length: 1000 }, () => ({ path: "tenants/acme/dags/a.yaml", bytes }));
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();

    const decoded = await compute.decode(documents, never);

    delay.disable();
    expect(decoded).toHaveLength(1000);
    // Answers are cloned on this thread; a decode here would hold it for a second.
    expect(delay.percentile(90) / 1e6).toBeLessThan(50);
  });

  it("rejects with the reason of its caller's signal, waiting or running, and goes on", async () => {
    const abort = new AbortController();
    const asked = Array.from({ length: 20 }, () => compute.evaluate(heavy, abort.signal));
    const settled = Promise.allSettled(asked);

    abort.abort(new Error("cancelled by a person"));

    for (const result of await settled) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ message: "cancelled by a person" });
    }
    expect(await compute.evaluate({ template: "${{ 2 }}", scope: {} }, never)).toEqual({ ok: true, value: 2 });
    await expect(compute.evaluate(heavy, abort.signal)).rejects.toThrow("cancelled by a person");
  });
});

/** On a loaded machine even a small task can meet so short a cap. */
async function untilOk(ask: () => Promise<ExpressionAnswer>): Promise<ExpressionAnswer> {
  let answer = await ask();
  for (let tries = 0; !answer.ok && tries < 10; tries++) answer = await ask();
  return answer;
}

describe("a task over its cap", () => {
  it("is stopped with EXPR_COST while the pool lives and other tenants go on", async () => {
    const compute = createCompute({ threads: 2, evaluateMs: 15 });
    await compute.start();

    const hung = compute.evaluate(heavy, never);
    const other = await untilOk(() => compute.evaluate({ template: "${{ 'acme' }}", scope: {} }, never));

    expect(other).toEqual({ ok: true, value: "acme" });
    expect(await hung).toMatchObject({ ok: false, code: "EXPR_COST" });
    expect(await untilOk(() => compute.evaluate({ template: "${{ 2 }}", scope: {} }, never))).toEqual({
      ok: true,
      value: 2,
    });
    await compute.stop();
  });

  it("is stopped when it takes too much memory", async () => {
    const compute = createCompute({ threads: 1, heapMb: 24 });
    await compute.start();
    const scope = { inputs: { xs: names(900).map((name) => ({ name, more: names(40) })), ys: names(100) } };

    const answer = await compute.evaluate(
      { template: "${{ inputs.xs.map(a, inputs.ys.map(b, [a, b, {'x': a.name + b}])).size() }}", scope },
      never,
    );

    expect(answer).toMatchObject({ ok: false, code: "EXPR_COST" });
    expect(await compute.evaluate({ template: "${{ 1 }}", scope: {} }, never)).toEqual({ ok: true, value: 1 });
    await compute.stop();
  });

  it("holds one document alone, not the ones beside it", async () => {
    const compute = createCompute({ threads: 1, decodeMs: 5 });
    await compute.start();
    const slow = dagText(
      `steps:\n${Array.from({ length: 190 }, (_, n) => `  s${String(n)}: { uses: core.log@1.0.0, with: { a: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] } }`).join("\n")}`,
    );
    const quick = "apiVersion: orrery/v1\nkind: Quota\nspec: {}\n";

    const decoded = await compute.decode(
      [
        { path: "tenants/acme/dags/slow.yaml", bytes: bytesOf(slow) },
        { path: "tenants/acme/quota.yaml", bytes: bytesOf(quick) },
      ],
      never,
    );

    expect(decoded[0]).toMatchObject({
      ok: false,
      findings: [{ code: "SPEC_TOO_LARGE", path: "tenants/acme/dags/slow.yaml" }],
    });
    expect(decoded).toHaveLength(2);
    await compute.stop();
  });
});

describe("the life of compute", () => {
  it("stops before start, twice, and rejects what comes later", async () => {
    const compute = createCompute({ threads: 1 });

    await compute.stop();
    await compute.start();
    await compute.start();
    await compute.stop();
    await compute.stop();

    await expect(compute.checkInput({ value: {}, schema: {} }, never)).rejects.toMatchObject({ code: "INTERNAL" });
  });

  it("ends what still waits when it stops", async () => {
    const compute = createCompute({ threads: 1 });
    await compute.start();
    const asked = Promise.allSettled(names(10).map(() => compute.evaluate(heavy, never)));

    await compute.stop();

    const results = await asked;
    expect(results.some(({ status }) => status === "rejected")).toBe(true);
  });
});
