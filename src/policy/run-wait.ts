import {
  decidePromotion,
  type PromotionDemand,
  type PromotionQuota,
  type PromotionUsage,
  type WaitReason,
} from "./decide-admission.ts";

/** Why a queued run has not started: a reason of promotion, `turn` or `worker`. */
export interface RunWait {
  /** `turn`: nothing stands in its way, the queue's next turn makes it ready. `worker`: it is ready and nobody took it. */
  readonly reason: WaitReason | "turn" | "worker";
  /** One sentence with the numbers of its own tenant, and of nobody else. */
  readonly message: string;
}

export interface WaitQuestion {
  readonly quota: PromotionQuota;
  readonly usage: PromotionUsage;
  readonly demand: PromotionDemand;
  readonly now: Date;
}

/** Of a run that is ready. What keeps the workers busy is nobody's business: it may be another tenant. */
export const readyWait: RunWait = { reason: "worker", message: "ready: it waits for a free worker of this site" };

/** What a run that is not ready yet waits for, by `decidePromotion`. Pure. */
export function runWait(question: WaitQuestion): RunWait {
  const reason = decidePromotion(question.quota, question.usage, question.demand) ?? "turn";
  return { reason, message: messages[reason](question) };
}

const messages: Readonly<Record<Exclude<RunWait["reason"], "worker">, (question: WaitQuestion) => string>> = {
  suspended: () => "the tenant or its DAG is suspended",
  tenant_concurrency: ({ usage, quota }) =>
    `${runs(usage.admitted)} of the tenant at once, runs.maxConcurrent is ${String(quota.runs.maxConcurrent)}`,
  start_rate: ({ usage, quota, now }) =>
    `${runs(usage.startsThisHour)} of the tenant started in this UTC hour, runs.startsPerHour is ${String(quota.runs.startsPerHour)}: the next hour begins at ${nextHour(now)}`,
  dag_concurrency: ({ usage, demand }) =>
    `${runs(usage.admittedOfDag)} of this DAG at once, concurrency.max is ${String(demand.concurrency.max)}`,
  turn: () => "the queue's next turn makes it ready",
};

const runs = (count: number): string => (count === 1 ? "1 run" : `${String(count)} runs`);

const hourMs = 3_600_000;
const nextHour = (now: Date): string =>
  new Date((Math.floor(now.getTime() / hourMs) + 1) * hourMs).toISOString().replace(".000Z", "Z");
