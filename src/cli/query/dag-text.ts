import type { SiteStatus } from "../../api/index.ts";
import { printable } from "../../plan/index.ts";
import type { ConditionView, DagView, TenantView } from "../../store/index.ts";

/** A DAG, and what of its tenant and site keeps newer versions from it. */
export interface DagDetail {
  readonly dag: DagView;
  /** null where nothing of the tenant was ever applied. */
  readonly tenant: Pick<TenantView, "conditions"> | null;
  readonly site: Pick<SiteStatus, "stalled">;
}

/** All that is known of a DAG, for a terminal; what keeps an old version running comes first. */
export function renderDag({ dag, tenant, site }: DagDetail): string {
  const schedules = dag.schedules.map(({ schedule, nextDue }) => `  ${schedule}  next ${nextDue ?? "-"}`);
  return [
    `${dag.tenant}/${dag.dagId}  ${readiness(dag)}`,
    ...oldVersion({ dag, tenant, site }),
    `spec       ${dag.specHash}`,
    `commit     ${dag.commit} (revision applied: ${dag.appliedRevision})`,
    ...(schedules.length === 0 ? [] : ["schedules", ...schedules]),
    ...(dag.conditions.length === 0 ? [] : ["conditions", ...dag.conditions.map(conditionLine)]),
  ].join("\n");
}

/** Why a newer version does not run, one line each; none where the newest runs. */
export function oldVersion({ dag, tenant, site }: DagDetail): readonly string[] {
  const held = dag.conditions.find(({ type, reason }) => type === "Stalled" && reason === "Held");
  const blocked = tenant?.conditions.find(
    ({ type, status, reason }) => type === "Stalled" && status === "True" && reason !== "Held",
  );
  const old = `OLD VERSION runs: spec ${dag.specHash.slice(0, 12)} stays until`;
  return [
    ...(held?.status === "True" ? [`${old} the version${ofRevision(held)} is fixed (below: Stalled)`] : []),
    ...(blocked === undefined
      ? []
      : [waits(`changes of ${dag.tenant}${ofRevision(blocked, " from ")} on wait`, blocked)]),
    ...(site.stalled === null ? [] : [waits("newer commits wait", site.stalled)]),
  ];
}

const ofRevision = ({ observedRevision }: ConditionView, word = " of "): string =>
  observedRevision === null ? "" : `${word}${observedRevision.slice(0, 12)}`;

const waits = (what: string, { reason, message }: { readonly reason: string; readonly message: string }): string =>
  printable(`MAY BE OLD: ${what}: ${reason}: ${message}`);

/** `Ready=False  Held: …  since … (first said of 69146c04e39d)`. That nothing stalls needs no reason. */
function conditionLine({ type, status, reason, message, since, observedRevision }: ConditionView): string {
  const isQuiet = type === "Stalled" && status === "False";
  const why = isQuiet ? "" : `  ${reason}${message === "" ? "" : `: ${message}`}`;
  const at = observedRevision === null ? "" : `, first said of ${observedRevision.slice(0, 12)}`;
  return printable(`  ${type}=${status}${why}  since ${since}${isQuiet ? "" : at}`);
}

/** One word for a table: the reason of what is wrong, or `Ready`. */
export function readiness(dag: DagView): string {
  if (dag.pruned) return "pruned";
  const held = dag.conditions.find(
    ({ type, status }) => (type === "Ready" && status === "False") || (type === "Stalled" && status === "True"),
  );
  if (held !== undefined) return held.reason;
  if (dag.suspended) return "Suspended";
  return dag.armed ? "Ready" : "NotAllowed";
}
