import { Fault, type JsonObject, type Service } from "../../base/index.ts";
import type { ClaimedRun, Verdict, WorkerNews, WorkerSeam } from "../worker-seam.ts";
import { type ItemRow, markRow, outcomeRow, releaseRow, settleRow } from "./seam-item.ts";
import { type ItemJob, type ItemKind, type Job, settleTurn, type TickItem, takeTurn } from "./tick-batch.ts";
import { TickLine, type TickLineDeps } from "./tick-line.ts";

const int32 = 2 ** 31 - 1;

/** The local seam: calls that gather while a turn is in flight share the next one. Start it once. */
export class PostgresWorkerSeam implements WorkerSeam, Service {
  readonly name = "worker seam";
  readonly #line: TickLine;
  readonly #abort = new AbortController();
  readonly #queue: Job[] = [];
  #wake: (() => void) | null = null;
  #loop: Promise<void> | null = null;
  #ended: Fault | null = null;
  #stopping = false;
  #number = 0;

  constructor(deps: TickLineDeps, worker: { readonly workerId: string; readonly epoch: number }) {
    this.#line = new TickLine(deps, worker);
  }

  async start(): Promise<void> {
    await this.#line.open();
    this.#loop ??= this.#run();
  }

  /** Turns that wait are still taken where the database answers; then every call rejects. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    if (this.#loop !== null) {
      const patience = setTimeout(() => this.#abort.abort(new Error("stopped")), stopPatienceMs);
      await this.#loop;
      clearTimeout(patience);
    }
    this.#end(new Fault("DATABASE_UNAVAILABLE", "the worker seam is stopped"));
    await this.#line.close();
  }

  claim(max: number): Promise<readonly ClaimedRun[]> {
    return new Promise((settle, fail) =>
      this.#push({ kind: "claim", max: Math.max(0, Math.floor(max)), settle, fail }),
    );
  }

  heartbeat(): Promise<WorkerNews> {
    return new Promise((settle, fail) => this.#push({ kind: "heartbeat", settle, fail }));
  }

  report(outcomes: Parameters<WorkerSeam["report"]>[0]): Promise<readonly Verdict[]> {
    return this.#store("outcomes", outcomes.map(outcomeRow));
  }

  begin(marks: Parameters<WorkerSeam["begin"]>[0]): Promise<readonly Verdict[]> {
    return this.#store("marks", marks.map(markRow));
  }

  settle(settlements: Parameters<WorkerSeam["settle"]>[0]): Promise<readonly Verdict[]> {
    return this.#store("settles", settlements.map(settleRow));
  }

  release(runs: Parameters<WorkerSeam["release"]>[0]): Promise<readonly Verdict[]> {
    return this.#store("releases", runs.map(releaseRow));
  }

  #store(kind: ItemKind, rows: readonly ItemRow[]): Promise<readonly Verdict[]> {
    const items = rows.map((row) => (row === null ? null : this.#item(row)));
    return new Promise((settle, fail) =>
      this.#push({
        kind,
        items: items.filter((item) => item !== null),
        settle: (verdicts) =>
          settle(items.map((item) => (item === null ? "unfit" : (verdicts.get(item.n) ?? "unfit")))),
        fail,
      }),
    );
  }

  #item(row: JsonObject): TickItem {
    this.#number = this.#number === int32 ? 1 : this.#number + 1;
    return { n: this.#number, text: JSON.stringify({ n: this.#number, ...row }) };
  }

  #push(job: Job): void {
    if (this.#ended !== null || this.#stopping) {
      job.fail(this.#ended ?? new Fault("DATABASE_UNAVAILABLE", "the worker seam is stopping"));
      return;
    }
    this.#queue.push(job);
    this.#wake?.();
  }

  async #run(): Promise<void> {
    while (this.#ended === null) {
      if (this.#queue.length === 0) {
        if (this.#stopping) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = null;
        // Callers that were woken together report together.
        await Promise.resolve();
        continue;
      }
      await this.#turn(takeTurn(this.#queue));
      // Lets those whose outcomes are durable now say what comes next: it shares the next turn.
      await new Promise(setImmediate);
    }
  }

  async #turn(jobs: readonly Job[]): Promise<void> {
    try {
      settleTurn(jobs, await this.#line.send(jobs, this.#abort.signal));
    } catch (error) {
      const fault = error instanceof Fault ? error : new Fault("INTERNAL", "internal error", { cause: error });
      if (fault.code === "DATABASE_CONTENT") await this.#oneByOne(jobs);
      else this.#failTurn(jobs, fault);
    }
  }

  // A poisonous item must fail alone; what the tables refuse was not caught by the check before.
  async #oneByOne(jobs: readonly Job[]): Promise<void> {
    for (const job of jobs) {
      if ("items" in job) await this.#itemByItem(job);
      else await this.#alone(job);
    }
  }

  async #itemByItem(job: ItemJob): Promise<void> {
    const verdicts = new Map<number, Verdict>();
    for (const item of job.items) {
      const one = {
        ...job,
        items: [item],
        settle: (found: ReadonlyMap<number, Verdict>) => verdicts.set(item.n, found.get(item.n) ?? "fenced"),
      };
      if (this.#ended === null) await this.#alone(one, () => verdicts.set(item.n, "unfit"));
    }
    if (this.#ended === null) job.settle(verdicts);
  }

  async #alone(job: Job, unfit?: () => void): Promise<void> {
    try {
      settleTurn([job], await this.#line.send([job], this.#abort.signal));
    } catch (error) {
      const fault = error instanceof Fault ? error : new Fault("INTERNAL", "internal error", { cause: error });
      if (fault.code === "DATABASE_CONTENT" && unfit !== undefined) unfit();
      else this.#failTurn([job], fault);
    }
  }

  #failTurn(jobs: readonly Job[], fault: Fault): void {
    for (const job of jobs) job.fail(fault);
    if (fault.code === "WORKER_FENCED") this.#end(fault);
  }

  #end(fault: Fault): void {
    this.#ended ??= fault;
    for (const job of this.#queue.splice(0)) job.fail(this.#ended);
  }
}

const stopPatienceMs = 5000;
