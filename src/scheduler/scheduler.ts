import { faultOf, type Service, TaskGroup, WakeUp, withJitter } from "../base/index.ts";
import type { AdmissionAnswer, AdmissionRequest, DueSchedule } from "../store/index.ts";
import type { SchedulerDeps, SiteFacts } from "./scheduler-deps.ts";
import { slotRequests } from "./slot-requests.ts";

export interface Scheduler extends Service {
  /** Look now: an apply, a clock step, the second-net. */
  wake(): void;
}

const maxSleepMs = 1000;
const dueAtOnce = 200;
/** A schedule that is due and cannot be claimed stays due: looking again at once would be a loop without a rest. */
const minSleepMs = 50;

/**
 * One tick for all schedules (DESIGN.md section 5): it sleeps until the next due slot, at most a second; a wake-up only
 * means "look now". The store lets each slot be claimed once, whoever else looks.
 */
export function createScheduler(deps: SchedulerDeps, facts: SiteFacts): Scheduler {
  const wakeUp = new WakeUp();
  let tasks: TaskGroup | null = null;
  return {
    name: "scheduler",
    wake: () => wakeUp.wake(),
    start: () => {
      tasks ??= new TaskGroup((task, error) => deps.log.error({ task, error }, "the scheduler's loop ended"));
      tasks.run("tick", (signal) => loop(deps, facts, wakeUp, signal));
      return Promise.resolve();
    },
    stop: async () => {
      await tasks?.stop();
    },
  };
}

async function loop(deps: SchedulerDeps, facts: SiteFacts, wakeUp: WakeUp, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const sleepMs = await tickOrWait(deps, facts, signal);
    await wakeUp.wait((until) => deps.clock.sleep(sleepMs, until), signal);
  }
}

/** How long to sleep before the next look, ms. */
async function tickOrWait(deps: SchedulerDeps, facts: SiteFacts, signal: AbortSignal): Promise<number> {
  // What is due stays due: asking for the next slot now would answer one in the past, and again at once.
  if (deps.holdsSlots()) return maxSleepMs;
  try {
    const claimed = await tick(deps, facts, signal);
    if (claimed >= dueAtOnce) return minSleepMs;
    const next = await deps.admission.nextDue();
    if (next === null) return maxSleepMs;
    return Math.min(maxSleepMs, Math.max(minSleepMs, next.getTime() - deps.clock.now().getTime()));
  } catch (error) {
    if (signal.aborted) throw error;
    const fault = faultOf(error);
    deps.log.warn({ code: fault.code, error }, "slots were not claimed, trying again");
    return withJitter(maxSleepMs, Math.random);
  }
}

/** Claims every slot that is due; answers how many schedules were looked at. */
export async function tick(deps: SchedulerDeps, facts: SiteFacts, signal: AbortSignal): Promise<number> {
  if (deps.holdsSlots()) return 0;
  const due = await deps.admission.dueSchedules(deps.clock.now(), dueAtOnce);
  if (due.length === 0) return 0;
  const requests: AdmissionRequest[] = [];
  for (const schedule of due) requests.push(...(await requestsOf(deps, facts, schedule, signal)));
  if (requests.length === 0) return due.length;
  const answers = await deps.admission.admit(requests);
  report(deps, requests, answers);
  return due.length;
}

/** One schedule that cannot be read never stops the others: it says so and stays due. */
async function requestsOf(
  deps: SchedulerDeps,
  facts: SiteFacts,
  due: DueSchedule,
  signal: AbortSignal,
): Promise<readonly AdmissionRequest[]> {
  try {
    return await slotRequests(deps, facts, due, signal);
  } catch (error) {
    const fault = faultOf(error);
    if (signal.aborted || (fault.code !== "INTERNAL" && fault.disposition === "retry")) throw error;
    const { tenant, dagId, schedule } = due;
    deps.log.error({ tenant, dagId, schedule, error }, "the slots of a schedule could not be made");
    return [];
  }
}

function report(deps: SchedulerDeps, requests: readonly AdmissionRequest[], answers: readonly AdmissionAnswer[]): void {
  for (const [i, request] of requests.entries()) {
    const answer = answers[i];
    if (answer !== undefined && answer.kind !== "stale") reportSlot(deps, request, answer);
  }
  if (answers.some(({ kind }) => kind === "admitted")) deps.wakeWorker();
}

function reportSlot(
  deps: SchedulerDeps,
  { tenant, dagId, runId, claim, trigger }: AdmissionRequest,
  answer: AdmissionAnswer,
): void {
  const where = { tenant, dagId, slot: trigger.slot };
  for (const skip of claim?.skips ?? []) deps.onRefused(tenant, "skipped", skip.reason, skip.count);
  if (answer.kind === "admitted") deps.log.info({ ...where, runId, status: "queued" }, "slot admitted");
  if (answer.kind !== "skipped") return;
  if (claim?.runs === true) deps.onRefused(tenant, "skipped", answer.reason, 1);
  deps.log.info({ ...where, reason: answer.reason }, "slot skipped");
}
