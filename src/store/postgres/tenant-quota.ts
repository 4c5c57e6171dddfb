import type { Session } from "../../database/index.ts";
import { quotaSegments } from "../../spec/index.ts";
import type { TenantChange } from "../revision-store.ts";

/**
 * The limits that hold now into the tenant's row, and beside them what follows as overrides end: `turn_quotas` takes
 * that over at its time, with no apply in between. The transaction holds the row.
 */
export async function writeQuota(session: Session, { tenant, quota, now }: TenantChange): Promise<void> {
  const segments = quotaSegments(quota, new Date(now)).map(({ until, limits }) => ({
    until,
    weight: limits.weight,
    max_runs: limits.runs.maxConcurrent,
    max_queued: limits.runs.maxQueued,
    starts_per_hour: limits.runs.startsPerHour,
    day_cpu_ms: limits.perDay.cpuTimeMs,
    day_artifact_bytes: limits.perDay.artifactBytes,
  }));
  await session.query({
    text: `update tenant set (weight, max_runs, max_queued, starts_per_hour, day_cpu_ms, day_artifact_bytes, quota_until) = (
        select weight, max_runs, max_queued, starts_per_hour, day_cpu_ms, day_artifact_bytes, until
        from jsonb_to_record($2::jsonb -> 0) s(until timestamptz, weight int, max_runs int, max_queued int,
          starts_per_hour int, day_cpu_ms bigint, day_artifact_bytes bigint)), quota_segments = $2::jsonb
      where tenant_id = $1`,
    values: [tenant, JSON.stringify(segments)],
  });
}
