import fc from "fast-check";
import { expect, it } from "vitest";
import { readySteps, topologicalOrder } from "../../../src/dag/index.ts";

const node = (stepId: string, ...needs: string[]) => ({ stepId, needs });

it("orders by need, and by step id in byte order where the graph leaves it open", () => {
  const order = topologicalOrder([node("b"), node("z"), node("a", "z"), node("a_1"), node("aa")]);

  expect(order).toEqual({ kind: "ordered", stepIds: ["a_1", "aa", "b", "z", "a"] });
});

it("names a cycle with its path from its least step", () => {
  const order = topologicalOrder([node("a", "d"), node("d", "c"), node("c", "b"), node("b", "d"), node("x", "a")]);

  expect(order).toEqual({ kind: "cycle", path: ["b", "d", "c"] });
});

it("names a step that needs itself", () => {
  expect(topologicalOrder([node("a", "a")])).toEqual({ kind: "cycle", path: ["a"] });
});

const graphs = fc
  .uniqueArray(fc.stringMatching(/^[a-z][a-z0-9_]{0,5}$/), { minLength: 1, maxLength: 30 })
  .chain((ids) =>
    fc
      .tuple(...ids.map((_, i) => fc.subarray(ids.slice(0, i))))
      .map((needs) => ids.map((stepId, i) => ({ stepId, needs: needs[i] ?? [] }))),
  );

it("gives one order for any order of input, each step after its needs", () => {
  fc.assert(
    fc.property(graphs, fc.infiniteStream(fc.nat()), (graph, chance) => {
      const shuffled = graph
        .map((n) => ({ n, key: Number(chance.next().value) }))
        .sort((a, b) => a.key - b.key)
        .map(({ n }) => n);
      const order = topologicalOrder(graph);
      const other = topologicalOrder(shuffled);

      expect(other).toEqual(order);
      if (order.kind !== "ordered") throw new Error("no cycle was made");
      const at = new Map(order.stepIds.map((id, i) => [id, i]));
      for (const { stepId, needs } of graph) {
        for (const need of needs) expect(at.get(need)).toBeLessThan(at.get(stepId) ?? -1);
      }
    }),
  );
});

it("takes the least ready step each time", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const order = topologicalOrder(graph);
      if (order.kind !== "ordered") throw new Error("no cycle was made");
      const done = new Set<string>();
      for (const id of order.stepIds) {
        expect(readySteps(graph, done)[0]).toBe(id);
        done.add(id);
      }
    }),
  );
});

it("orders 10,000 steps in a wide graph quickly", () => {
  const wide = Array.from({ length: 10_000 }, (_, i) => node(`s${i}`, ...(i > 0 ? ["s0"] : [])));

  const started = performance.now();
  const order = topologicalOrder(wide);

  expect(order.kind).toBe("ordered");
  expect(performance.now() - started).toBeLessThan(2000);
});
