import type { RepositoryPlan } from "./repository-plan.ts";

/** The plan as plain data: names, hashes, fields that differ; no whole spec text. */
export function jsonOfPlan({ report, comparedWith, stalled }: RepositoryPlan): object {
  const { to, ...rest } = report;
  return { revision: to, comparedWith, stalled, ...rest };
}
