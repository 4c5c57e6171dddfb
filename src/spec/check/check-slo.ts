import { closest } from "../decode/closest.ts";
import type { Finding } from "../decode/finding.ts";
import { type Positions, positionOf } from "../decode/positions.ts";
import type { DagSpec } from "../normal/dag-spec.ts";
import type { Objective, Slo } from "../normal/tenant-spec.ts";
import { durationText } from "../value/units.ts";

/** All that objectives are judged against. */
export interface SloContext {
  readonly path: string;
  /** Of the decoded slo.yaml. */
  readonly positions: Positions;
  /** Every DAG of the tenant; null = it is there and does not decode. */
  readonly dags: ReadonlyMap<string, DagSpec | null>;
  /** The least distance of two of its slots, in ms (calendar/); Infinity without a schedule. */
  readonly shortestIntervalMs: (dag: DagSpec) => number;
}

/** Objectives for DAGs that are not there (error), or that the DAG as written can never keep or never miss (warning). */
export function checkSlo(slo: Slo, context: SloContext): readonly Finding[] {
  return slo.objectives.flatMap((objective, index): readonly Finding[] => {
    const dag = context.dags.get(objective.dag);
    const said =
      dag === undefined ? [unknownDag(objective.dag, context)] : dag === null ? [] : idle(objective, dag, context);
    return said.map(({ key, ...finding }) => {
      const pointer = `/spec/objectives/${String(index)}/${key}`;
      return { path: context.path, ...positionOf(context.positions, pointer), pointer, ...finding };
    });
  });
}

type Said = Pick<Finding, "code" | "severity" | "message" | "fix"> & { readonly key: string };

function unknownDag(dag: string, { dags }: SloContext): Said {
  const near = closest(dag, [...dags.keys()]);
  const fix = near === null ? `Add dags/${dag}.yaml, or remove the entry.` : `Did you mean \`${near}\`?`;
  return { code: "SLO_UNKNOWN_DAG", severity: "error", key: "dag", message: `this tenant has no DAG \`${dag}\``, fix };
}

function idle({ freshMs, withinMs }: Objective, dag: DagSpec, context: SloContext): readonly Said[] {
  const intervalMs = context.shortestIntervalMs(dag);
  const warn = (key: string, message: string, fix: string): Said => ({
    ...{ code: "SLO_UNREACHABLE", severity: "warning", key, message, fix },
  });
  const stale = freshMs !== null && Number.isFinite(intervalMs) && freshMs < intervalMs;
  // A run that waits in the queue may take longer than its timeout; one that cannot wait never does.
  const slack = withinMs !== null && withinMs > dag.timeoutMs && dag.concurrency.overlap === "skip";
  return [
    ...(stale
      ? [
          warn(
            "fresh",
            `fresh ${durationText(freshMs)} is shorter than the ${durationText(intervalMs)} between two slots`,
            "Run it more often, or make fresh longer.",
          ),
        ]
      : []),
    ...(slack
      ? [warn("within", `no run takes longer than its timeout ${durationText(dag.timeoutMs)}`, "Make within shorter.")]
      : []),
  ];
}
