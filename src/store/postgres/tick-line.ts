import { backoffMs, type Clock, Fault, utcText } from "../../base/index.ts";
import type { Connection, Database } from "../../database/index.ts";
import { claimMax, itemsText, type Job, type TickAnswer } from "./tick-batch.ts";

export interface TickLineDeps {
  readonly database: Pick<Database, "connect">;
  readonly clock: Clock;
  readonly log: { warn(fields: Readonly<Record<string, unknown>>, message: string): void };
}

const strideOfWeightOne = 720_720;
const fullScanEveryMs = 1000;
const backoff = { firstMs: 50, factor: 2, maxMs: 2000 };

/**
 * The one connection of a worker. `send` answers when the turn is durable: a lost connection is replaced and the same
 * turn sent again under the same number, so that a commit that was not heard is not done twice.
 */
export class TickLine {
  readonly #deps: TickLineDeps;
  readonly #worker: { readonly workerId: string; readonly epoch: number };
  #connection: Connection | null = null;
  #tick = 0;
  #vtime = 0;
  #fullScanAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: TickLineDeps, worker: { readonly workerId: string; readonly epoch: number }) {
    this.#deps = deps;
    this.#worker = worker;
  }

  async open(): Promise<Connection> {
    this.#connection ??= await this.#deps.database.connect("tick");
    return this.#connection;
  }

  async close(): Promise<void> {
    await this.#connection?.destroy();
    this.#connection = null;
  }

  /** Faults WORKER_FENCED, DATABASE_CONTENT and INTERNAL; everything else is tried again until the signal aborts. */
  async send(jobs: readonly Job[], signal: AbortSignal): Promise<TickAnswer> {
    this.#tick += 1;
    const values = this.#valuesOf(jobs);
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      try {
        const connection = await this.open();
        const [row] = await connection.query<{ answer: TickAnswer }>({ name: "tick", text: tickText, values });
        if (row === undefined) throw new Fault("INTERNAL", "tick gave no answer");
        this.#vtime = row.answer.vtime;
        return row.answer;
      } catch (error) {
        if (!isWorthAnother(error)) throw error;
        this.#deps.log.warn({ error, attempt }, "tick failed and is sent again");
        if (error.code === "DATABASE_UNAVAILABLE") await this.close();
        await this.#deps.clock.sleep(backoffMs(attempt, backoff), signal);
      }
    }
  }

  #valuesOf(jobs: readonly Job[]): readonly unknown[] {
    const { workerId, epoch } = this.#worker;
    return [
      ...[workerId, epoch, this.#tick, utcText(this.#deps.clock.now())],
      ...[
        itemsText(jobs, "marks"),
        itemsText(jobs, "outcomes"),
        itemsText(jobs, "settles"),
        itemsText(jobs, "releases"),
      ],
      ...[claimMax(jobs), this.#lowestTag(), jobs.some((job) => job.kind === "heartbeat")],
    ];
  }

  // An old snapshot elsewhere keeps dead entries at the head of the ready index; rescued runs carry old tags, so once a
  // second the scan starts from the very head.
  #lowestTag(): number {
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs - this.#fullScanAtMs < fullScanEveryMs) return Math.max(0, this.#vtime - 8 * strideOfWeightOne);
    this.#fullScanAtMs = nowMs;
    return 0;
  }
}

const tickText = "select tick($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as answer";

function isWorthAnother(error: unknown): error is Fault {
  return error instanceof Fault && (error.code === "DATABASE_UNAVAILABLE" || error.code === "STORE_CONFLICT");
}
