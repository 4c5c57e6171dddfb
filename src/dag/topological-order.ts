/** What order needs of a step. */
export interface GraphNode {
  readonly stepId: string;
  readonly needs: readonly string[];
}

export type TopologicalOrder =
  | { readonly kind: "ordered"; readonly stepIds: readonly string[] }
  /** Each needs the next, the last needs the first; starts at the least id of the cycle. */
  | { readonly kind: "cycle"; readonly path: readonly string[] };

const inByteOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Every step after all that it needs; where the graph leaves it open, the least step id first (byte order: ids are
 * ASCII). Needs that name no step of the list are ignored (lint names them; a `finally` step may need a step proper).
 */
export function topologicalOrder(steps: readonly GraphNode[]): TopologicalOrder {
  const open = new Map<string, number>();
  const dependents = new Map<string, string[]>();
  for (const step of steps) dependents.set(step.stepId, []);
  for (const step of steps) {
    const needs = new Set(step.needs.filter((need) => dependents.has(need)));
    open.set(step.stepId, needs.size);
    for (const need of needs) dependents.get(need)?.push(step.stepId);
  }
  const ready = new ByteOrderHeap([...open].filter(([, count]) => count === 0).map(([id]) => id));
  const stepIds: string[] = [];
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    stepIds.push(id);
    for (const dependent of dependents.get(id) ?? []) {
      const left = (open.get(dependent) ?? 0) - 1;
      open.set(dependent, left);
      if (left === 0) ready.push(dependent);
    }
  }
  return stepIds.length === open.size ? { kind: "ordered", stepIds } : { kind: "cycle", path: cycleIn(steps, stepIds) };
}

/** Steps without a status whose needs have all ended, in byte order. */
export function readySteps(steps: readonly GraphNode[], ended: ReadonlySet<string>): readonly string[] {
  const known = new Set(steps.map((step) => step.stepId));
  return steps
    .filter((step) => !ended.has(step.stepId) && step.needs.every((need) => !known.has(need) || ended.has(need)))
    .map((step) => step.stepId)
    .sort(inByteOrder);
}

// Every step that Kahn's algorithm left over needs a left-over step: following the least need must close a circle.
function cycleIn(steps: readonly GraphNode[], ordered: readonly string[]): readonly string[] {
  const done = new Set(ordered);
  const left = new Map(steps.filter((step) => !done.has(step.stepId)).map((step) => [step.stepId, step.needs]));
  const seen: string[] = [];
  let at = [...left.keys()].sort(inByteOrder)[0];
  while (at !== undefined && !seen.includes(at)) {
    seen.push(at);
    at = [...(left.get(at) ?? [])].sort(inByteOrder).find((need) => left.has(need));
  }
  const circle = seen.slice(at === undefined ? 0 : seen.indexOf(at));
  const least = circle.indexOf([...circle].sort(inByteOrder)[0] ?? "");
  return [...circle.slice(least), ...circle.slice(0, least)];
}

/** A binary heap: sorting the ready set again for each step is quadratic on a wide graph. */
class ByteOrderHeap {
  readonly #items: string[];

  constructor(items: readonly string[]) {
    this.#items = [...items].sort(inByteOrder);
  }

  push(item: string): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((items[parent] ?? "") <= item) break;
      items[at] = items[parent] ?? "";
      at = parent;
    }
    items[at] = item;
  }

  pop(): string | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (last !== undefined && items.length > 0) this.#sink(last);
    return top;
  }

  #sink(item: string): void {
    const items = this.#items;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && (items[child + 1] ?? "") < (items[child] ?? "")) child += 1;
      if ((items[child] ?? "") >= item) break;
      items[at] = items[child] ?? "";
      at = child;
    }
    items[at] = item;
  }
}
