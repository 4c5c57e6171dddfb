import { durationText, type SiteSpec } from "../spec/index.ts";

/** That what a site knows is old, by its own rule (sites/<site>.yaml, spec.offline). */
export interface SiteAge {
  readonly reason: "Stale";
  /** Everything goes on; else nothing new may start. */
  readonly warns: boolean;
  readonly message: string;
}

/**
 * null = young enough, or no rule. By the committer's time of the newest verified commit, which its signature covers: a
 * repository in which nobody commits grows old, too, however often it is synced.
 */
export function siteAge(site: string, { offline }: SiteSpec, commitSeconds: number, now: Date): SiteAge | null {
  const ageMs = now.getTime() - commitSeconds * 1000;
  const passed = (limitMs: number | null): limitMs is number => limitMs !== null && ageMs > limitMs;
  const { warnAfterMs, stopAfterMs } = offline;
  const stops = passed(stopAfterMs);
  const limitMs = stops ? stopAfterMs : warnAfterMs;
  if (!passed(limitMs)) return null;
  const asOf = new Date(commitSeconds * 1000).toISOString();
  const does = stops ? "nothing new starts" : "a warning";
  const message = `the newest verified commit is of ${asOf}, more than ${durationText(limitMs)} ago (offline of sites/${site}.yaml): ${does}`;
  return { reason: "Stale", warns: !stops, message };
}
