import type { ClaimedRun, Verdict, WorkerNews } from "../worker-seam.ts";

export type ItemKind = "marks" | "outcomes" | "settles" | "releases";

/** An item on its way: its JSON text carries the number `n` that verdicts name. */
export interface TickItem {
  readonly n: number;
  readonly text: string;
}

/** A call of the seam that waits for its turn. */
export type Job =
  | {
      readonly kind: ItemKind;
      readonly items: readonly TickItem[];
      /** Verdict by item number. */
      readonly settle: (verdicts: ReadonlyMap<number, Verdict>) => void;
      readonly fail: (error: Error) => void;
    }
  | {
      readonly kind: "claim";
      readonly max: number;
      readonly settle: (runs: readonly ClaimedRun[]) => void;
      readonly fail: (error: Error) => void;
    }
  | {
      readonly kind: "heartbeat";
      readonly settle: (news: WorkerNews) => void;
      readonly fail: (error: Error) => void;
    };

export type ItemJob = Extract<Job, { kind: ItemKind }>;

const maxItems = 1000;
const maxChars = 4 * 1024 * 1024;

/** Takes the jobs of the next turn off the head: all that gathered, at least one, within the cap. */
export function takeTurn(queue: Job[]): readonly Job[] {
  let items = 0;
  let chars = 0;
  let taken = 0;
  for (const job of queue) {
    if ("items" in job) {
      items += job.items.length;
      for (const item of job.items) chars += item.text.length;
    }
    if (taken > 0 && (items > maxItems || chars > maxChars)) break;
    taken += 1;
  }
  return queue.splice(0, taken);
}

/** The JSON array of all items of one kind, or null. */
export function itemsText(jobs: readonly Job[], kind: ItemKind): string | null {
  const texts = jobs.flatMap((job) => (job.kind === kind ? job.items.map((item) => item.text) : []));
  return texts.length === 0 ? null : `[${texts.join(",")}]`;
}

export function claimMax(jobs: readonly Job[]): number {
  return jobs.reduce((sum, job) => (job.kind === "claim" ? sum + job.max : sum), 0);
}

/** What `tick` answers. */
export interface TickAnswer {
  readonly verdicts: Partial<
    Record<ItemKind, { readonly stored: readonly number[] | null; readonly duplicate?: readonly number[] | null }>
  >;
  readonly vtime: number;
  readonly claimed: readonly ClaimedRun[];
  readonly news: NewsAnswer | null;
}

interface NewsAnswer {
  readonly workers: number;
  readonly cancelled: readonly {
    readonly tenant: string;
    readonly runId: string;
    readonly cancel: Pick<WorkerNews["cancelled"][number], "actor" | "rationale">;
  }[];
  readonly tenantRevisions: Readonly<Record<string, string>>;
}

/** Gives every job of the turn its part of the answer. */
export function settleTurn(jobs: readonly Job[], answer: TickAnswer): void {
  let claimed = 0;
  for (const job of jobs) {
    if (job.kind === "claim") {
      job.settle(answer.claimed.slice(claimed, claimed + job.max));
      claimed += job.max;
    } else if (job.kind === "heartbeat") job.settle(newsOf(answer.news));
    else job.settle(verdictsOf(job, answer));
  }
}

function verdictsOf(job: ItemJob, { verdicts }: TickAnswer): ReadonlyMap<number, Verdict> {
  const found = verdicts[job.kind];
  const byNumber = new Map<number, Verdict>(job.items.map((item) => [item.n, "fenced"]));
  for (const n of found?.duplicate ?? []) if (byNumber.has(n)) byNumber.set(n, "duplicate");
  for (const n of found?.stored ?? []) if (byNumber.has(n)) byNumber.set(n, "stored");
  return byNumber;
}

function newsOf(news: NewsAnswer | null): WorkerNews {
  return {
    workers: news?.workers ?? 1,
    cancelled: (news?.cancelled ?? []).map(({ tenant, runId, cancel }) => ({ tenant, runId, ...cancel })),
    tenantRevisions: news?.tenantRevisions ?? {},
  };
}
