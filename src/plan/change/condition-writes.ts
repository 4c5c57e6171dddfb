import type { Condition } from "../observed/observed.ts";
import type { ConditionWrite } from "./tenant-change.ts";

/**
 * What leads from one set of conditions to the next, by (kind, name, type). What says nothing new is the very object that
 * stood before: of ten thousand DAGs few are spelt out.
 */
export function conditionWrites(before: readonly Condition[], after: readonly Condition[]): readonly ConditionWrite[] {
  const [stood, stands] = [new Set(before), new Set(after)];
  const gone = before.filter((condition) => !stands.has(condition));
  const fresh = after.filter((condition) => !stood.has(condition));
  const from = new Map(gone.map((condition) => [keyOf(condition), condition]));
  const to = new Map(fresh.map((condition) => [keyOf(condition), condition]));
  const keys = [...new Set([...from.keys(), ...to.keys()])].sort();
  return keys.map((key) => ({ from: from.get(key) ?? null, to: to.get(key) ?? null }));
}

const keyOf = ({ kind, name, type }: Condition): string => `${kind} ${name} ${type}`;
