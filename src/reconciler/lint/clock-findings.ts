import { type ClockChange, checkSchedule, clockChanges } from "../../calendar/index.ts";
import type { DecodedSpec } from "../../compute/index.ts";
import { type Finding, positionOf, type ScheduleSpec } from "../../spec/index.ts";

/** How far ahead: every rule of a zone has been met by then, and people still remember the warning. */
const horizonYears = 2;

/** Warnings for schedules that fall into a gap or an overlap of their zone's clock within two years. */
export function clockFindings(documents: Iterable<DecodedSpec>, now: Date): readonly Finding[] {
  // From the day on: two runs on one day say the same.
  const from = new Date(Math.floor(now.getTime() / dayMs) * dayMs);
  const until = new Date(from);
  until.setUTCFullYear(until.getUTCFullYear() + horizonYears);
  return [...documents].flatMap((decoded): readonly Finding[] => {
    const document = decoded.ok ? decoded.document : decoded.draft;
    if (document?.kind !== "Dag") return [];
    const { path, positions, spec } = document;
    return spec.schedules.flatMap((schedule, index) => {
      const pointer = `/spec/schedules/${String(index)}/cron`;
      return changesOf(schedule, from, until).map((change) => ({
        ...{ code: "SCHEDULE_DST", severity: "warning", path, ...positionOf(positions, pointer), pointer },
        ...{ message: messageOf(schedule, change), fix: fixOf(change) },
      }));
    });
  });
}

const dayMs = 86_400_000;

const changesOf = (schedule: ScheduleSpec, from: Date, until: Date): readonly ClockChange[] =>
  checkSchedule(schedule) === null ? clockChanges(schedule, from, until) : [];

function messageOf({ timezone }: ScheduleSpec, { kind, date, at, from, until, runsAt }: ClockChange): string {
  if (kind === "overlap") {
    const does = runsAt === null ? "no slot starts there" : "it starts at the first";
    return `on ${date} ${timezone} shows ${at} twice (${from} to ${until} comes back): ${does}`;
  }
  const does = runsAt === null ? "no slot starts there" : `it starts at ${runsAt}`;
  return `on ${date} ${timezone} has no ${at} (${from} to ${until} is left out): ${does}`;
}

const fixOf = ({ from, until }: ClockChange): string =>
  `Choose a time outside of ${from} to ${until}, use timezone: UTC, or leave it as it is.`;
