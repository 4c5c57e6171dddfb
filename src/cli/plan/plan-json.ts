import type { RepositoryPlan } from "./repository-plan.ts";

/** The plan as plain data: names, hashes, fields that differ; no whole spec text. */
export function jsonOfPlan({ report, comparedWith }: RepositoryPlan): object {
  const { to, authority, ...rest } = report;
  return { revision: to, comparedWith, planHash: authority?.planHash ?? null, ...rest, authority };
}
