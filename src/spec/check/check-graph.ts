import { closest } from "../decode/closest.ts";
import type { DagDefect, PlacedStep } from "./dag-defect.ts";

/** Unknown needs and cycles, each section for itself: `finally` begins when all of `steps` has ended. */
export function checkGraph(steps: readonly PlacedStep[]): readonly DagDefect[] {
  return (["steps", "finally"] as const).flatMap((section) => {
    const own = steps.filter((step) => step.section === section);
    const unknown = own.flatMap((placed) => unknownNeeds(placed, own, steps));
    return [...unknown, ...cycles(own)];
  });
}

function unknownNeeds(
  placed: PlacedStep,
  own: readonly PlacedStep[],
  all: readonly PlacedStep[],
): readonly DagDefect[] {
  const ids = own.map(({ step }) => step.stepId);
  return placed.step.needs.flatMap((need, index): readonly DagDefect[] => {
    if (ids.includes(need)) return [];
    const pointer = `${placed.pointer}/needs/${String(index)}`;
    const elsewhere = all.some(({ step }) => step.stepId === need);
    if (elsewhere) {
      const message = `\`${need}\` stands in ${placed.section === "steps" ? "finally" : "steps"}`;
      const fix =
        placed.section === "steps"
          ? "Nothing can need a finally step."
          : "finally runs after all steps anyway: remove it.";
      return [{ code: "DAG_UNKNOWN_STEP", pointer, message, fix }];
    }
    const near = closest(
      need,
      ids.filter((id) => id !== placed.step.stepId),
    );
    const fix = near === null ? `Known: ${ids.join(", ")}.` : `Did you mean \`${near}\`?`;
    return [{ code: "DAG_UNKNOWN_STEP", pointer, message: `no step \`${need}\``, fix }];
  });
}

/** One finding a cycle, at its first step in byte order, with the way round. */
function cycles(own: readonly PlacedStep[]): readonly DagDefect[] {
  const needsOf = new Map(own.map(({ step }) => [step.stepId, step.needs]));
  const done = new Set<string>();
  const found: DagDefect[] = [];
  for (const { step, pointer } of own) {
    const cycle = done.has(step.stepId) ? null : cycleThrough(step.stepId, needsOf, done);
    if (cycle === null) continue;
    for (const id of cycle) done.add(id);
    const at = own.find((placed) => placed.step.stepId === cycle[0])?.pointer ?? pointer;
    const message = `cycle: ${[...cycle, cycle[0]].join(" needs ")}`;
    found.push({ code: "DAG_CYCLE", pointer: `${at}/needs`, what: "key", message, fix: "Remove one of these needs." });
  }
  return found;
}

/** Depth first without recursion; what leads into no cycle is remembered in `done`. */
function cycleThrough(
  start: string,
  needsOf: ReadonlyMap<string, readonly string[]>,
  done: Set<string>,
): readonly string[] | null {
  const path: { readonly id: string; next: number }[] = [{ id: start, next: 0 }];
  const onPath = new Set([start]);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const need = needsOf.get(top.id)?.[top.next];
    top.next += 1;
    if (need === undefined) {
      path.pop();
      onPath.delete(top.id);
      done.add(top.id);
    } else if (onPath.has(need)) {
      return fromSmallest(path.map(({ id }) => id).slice(path.findIndex(({ id }) => id === need)));
    } else if (!done.has(need) && needsOf.has(need)) {
      path.push({ id: need, next: 0 });
      onPath.add(need);
    }
  }
  return null;
}

function fromSmallest(cycle: readonly string[]): readonly string[] {
  const least = cycle.indexOf([...cycle].sort()[0] ?? "");
  return [...cycle.slice(least), ...cycle.slice(0, least)];
}

/** All steps that must have ended before this one, by id. */
export function upstreamOf(stepId: string, steps: readonly PlacedStep[]): ReadonlySet<string> {
  const needsOf = new Map(steps.map(({ step }) => [step.stepId, step.needs]));
  const found = new Set<string>();
  const open = [...(needsOf.get(stepId) ?? [])];
  for (let need = open.pop(); need !== undefined; need = open.pop()) {
    if (found.has(need)) continue;
    found.add(need);
    open.push(...(needsOf.get(need) ?? []));
  }
  return found;
}
