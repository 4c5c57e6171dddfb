import type {
  AttemptOutcome,
  CancelRequest,
  ClaimedRun,
  QueueStore,
  RunRef,
  Settlement,
  Store,
  Verdict,
} from "../../store/index.ts";

type OwnedSeam = ReturnType<Store["createWorkerSeam"]>;

/** What becomes of the one run, as its worker reports it. */
export interface QueueObserver {
  /** Before the worker goes on: what it says stands before what follows from it. */
  readonly attemptEnded: (outcome: AttemptOutcome) => Promise<void>;
  readonly settled: (settlement: Settlement) => void;
}

/** The queue and its seam for one run and one worker, in memory: claimed once, ended once, forgotten. */
export interface LocalQueue {
  readonly queue: Pick<QueueStore, "registerWorker" | "retireWorker">;
  readonly createSeam: Store["createWorkerSeam"];
  /** Stored attempts, oldest first. */
  readonly outcomes: readonly AttemptOutcome[];
  /** The worker hears of it at its next beat. */
  cancel(request: CancelRequest): void;
}

export function createLocalQueue(run: ClaimedRun, observer: QueueObserver): LocalQueue {
  const held: HeldRun = { run, outcomes: [], state: "ready", cancelled: null };
  const seam = seamOf(held, observer);
  return {
    queue: {
      registerWorker: () => Promise.resolve({ workerId: "local", epoch: 1 }),
      retireWorker: () => Promise.resolve(),
    },
    createSeam: () => seam,
    outcomes: held.outcomes,
    cancel: (request) => {
      held.cancelled = request;
    },
  };
}

interface HeldRun {
  readonly run: ClaimedRun;
  readonly outcomes: AttemptOutcome[];
  state: "ready" | "claimed" | "settled";
  cancelled: CancelRequest | null;
}

function seamOf(held: HeldRun, observer: QueueObserver): OwnedSeam {
  const { run } = held;
  const verdictOf = (ref: RunRef): Verdict => (isOurs(held, ref) ? "stored" : "fenced");
  return {
    name: "local-seam",
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    claim: (max) => {
      if (held.state !== "ready" || max < 1) return Promise.resolve([]);
      held.state = "claimed";
      return Promise.resolve([run]);
    },
    heartbeat: () =>
      Promise.resolve({
        workers: 1,
        cancelled: held.cancelled === null || held.state !== "claimed" ? [] : [held.cancelled],
        // Nothing is applied while it runs: its grants are those of the files that it was read from.
        tenantRevisions: { [run.tenant]: run.policyRevision },
      }),
    report: (outcomes) => Promise.all(outcomes.map((outcome) => report(held, observer, outcome))),
    begin: (marks) => Promise.resolve(marks.map(verdictOf)),
    settle: (settlements) => Promise.resolve(settlements.map((settlement) => settle(held, observer, settlement))),
    release: (refs) => {
      const verdicts = refs.map(verdictOf);
      if (verdicts.includes("stored")) held.state = "ready";
      return Promise.resolve(verdicts);
    },
  };
}

const isOurs = ({ run, state }: HeldRun, ref: RunRef): boolean =>
  ref.tenant === run.tenant && ref.runId === run.runId && ref.fence === run.fence && state === "claimed";

async function report(held: HeldRun, observer: QueueObserver, outcome: AttemptOutcome): Promise<Verdict> {
  if (!isOurs(held, outcome)) return "fenced";
  if (held.outcomes.some((stored) => sameAttempt(stored, outcome))) return "duplicate";
  held.outcomes.push(outcome);
  await observer.attemptEnded(outcome);
  return "stored";
}

function settle(held: HeldRun, observer: QueueObserver, settlement: Settlement): Verdict {
  if (held.state === "settled") return "duplicate";
  if (!isOurs(held, settlement)) return "fenced";
  held.state = "settled";
  observer.settled(settlement);
  return "stored";
}

const sameAttempt = (a: AttemptOutcome, b: AttemptOutcome): boolean =>
  a.stepId === b.stepId && a.index === b.index && a.attempt === b.attempt;
