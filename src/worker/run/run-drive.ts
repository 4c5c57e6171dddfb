import { setMaxListeners } from "node:events";
import { Fault, TaskGroup } from "../../base/index.ts";
import {
  type AttemptRef,
  advance,
  type StepEnd,
  type WalkAnswer,
  type WalkCommand,
  type WalkEvent,
} from "../../dag/index.ts";
import type { CancelRequest, ClaimedRun } from "../../store/index.ts";
import type { Logger } from "../../telemetry/index.ts";
import { type AttemptEnding, attemptStep, type Dispatch, settleLost } from "../step/step-attempt.ts";
import type { WorkerRoom } from "../worker-room.ts";
import { LiveAttempts } from "./live-attempts.ts";
import { loadRun } from "./pinned-run.ts";
import { isPoisoned, isUntouchable } from "./poison.ts";
import { RunLedger } from "./run-ledger.ts";
import {
  bareEnding,
  brokenEnding,
  poisonedEnding,
  type RunEnding,
  settlementOf,
  unreadableSettlement,
} from "./run-settlement.ts";
import { type SettleAnswer, storeSettlement } from "./settlement-store.ts";
import { sleepUntil } from "./sleep-until.ts";
import { evaluateStep } from "./step-evaluation.ts";

/** How a worker parts from a run: `left` = it goes back to the queue. */
export type Parting = SettleAnswer | "left";

/** Drives the walk of one claimed run: carries out its commands, feeds it their answers, settles. */
export class RunDrive {
  readonly claimed: ClaimedRun;
  /** Only timers are under way: it takes nothing from other runs. */
  isResting = false;
  readonly #room: WorkerRoom;
  readonly #tasks: TaskGroup;
  readonly #attempts = new LiveAttempts();
  readonly #events: WalkEvent[] = [];
  #ledger: RunLedger | null = null;
  #ending: RunEnding | null = null;
  #parting: Parting | null = null;
  #failure: { readonly error: unknown } | null = null;
  #cancel: CancelRequest | null = null;
  #draining = false;
  /** The run is poisoned, and something of it would have started. */
  #refused = false;
  /** Tasks under way that are neither attempts nor timers. */
  #busy = 0;
  #notify: () => void = () => undefined;

  constructor(room: WorkerRoom, claimed: ClaimedRun) {
    this.#room = room;
    this.claimed = claimed;
    this.#tasks = new TaskGroup((_task, error) => this.#fail(error));
    // Hundreds of items may wait on it at once: that is no leak.
    setMaxListeners(0, this.#tasks.signal);
  }

  /** Resolves when nothing of the run is left running here. Never rejects. */
  async run(): Promise<Parting> {
    try {
      if (isUntouchable(this.claimed)) this.#ending = poisonedEnding;
      else await this.#walk();
    } catch (error) {
      this.#fail(error);
    }
    const parting = await this.#part();
    await this.#tasks.stop();
    return parting;
  }

  /** A person or a prune ends the run; the news repeats until it has settled. */
  cancel(request: CancelRequest): void {
    if (this.#cancel !== null) return;
    this.#cancel = request;
    this.#feed({ kind: "cancel", atMs: this.#nowMs() });
  }

  /** Starts nothing more; what runs may end and is stored, then the run is left. */
  drain(): void {
    this.#draining = true;
    this.#attempts.withdraw(new Fault("WORKER_FENCED", "the worker stops"));
    this.#notify();
  }

  /** Stops everything at once; nothing is stored any more. */
  kill(parting: "fenced" | "left"): void {
    this.#parting ??= parting;
    this.#notify();
    // Awaited by `run`; here it only has to begin.
    void this.#tasks.stop();
  }

  async #walk(): Promise<void> {
    const ledger = new RunLedger(await loadRun(this.#room, this.claimed, this.#tasks.signal));
    this.#ledger = ledger;
    let answer: WalkAnswer = ledger.startWalk();
    this.#emitStart();
    for (;;) {
      for (const command of answer.commands) this.#carryOut(ledger, command);
      if (this.#ending !== null) return;
      const event = await this.#nextEvent();
      if (event === null) return;
      answer = advance(answer.walk, event);
    }
  }

  async #nextEvent(): Promise<WalkEvent | null> {
    for (;;) {
      if (this.#parting !== null || this.#failure !== null) return null;
      const event = this.#events.shift();
      if (event !== undefined) return event;
      if (this.#draining && this.#attempts.size === 0) return null;
      if (this.#attempts.size === 0 && this.#busy === 0) this.#rest(true);
      await new Promise<void>((resolve) => {
        this.#notify = resolve;
      });
      this.#rest(false);
    }
  }

  #rest(isResting: boolean): void {
    if (this.isResting === isResting) return;
    this.isResting = isResting;
    if (isResting) this.#room.rested();
  }

  #work(task: string, work: (signal: AbortSignal) => Promise<void>): void {
    this.#tasks.run(task, async (signal) => {
      this.#busy++;
      try {
        await work(signal);
      } finally {
        this.#busy--;
      }
    });
  }

  #carryOut(ledger: RunLedger, command: WalkCommand): void {
    switch (command.kind) {
      case "evaluate":
        this.#work("evaluate", async (signal) => {
          const answer = await evaluateStep(this.#room, ledger, command.stepId, signal);
          this.#feed({ kind: "evaluated", stepId: command.stepId, answer, atMs: this.#nowMs() });
        });
        return;
      case "dispatch":
        if (isPoisoned(this.claimed)) this.#refuse(command);
        else if (!this.#draining) this.#tasks.run("attempt", (signal) => this.#attempt(ledger, command, signal));
        return;
      case "settle_lost":
        this.#work("settle_lost", async (signal) => {
          this.#take(ledger, command, await settleLost(this.#room, ledger, command, signal));
        });
        return;
      case "wait":
        this.#tasks.run("wait", async (signal) => {
          await sleepUntil(this.#room.deps.clock, command.untilMs, signal);
          this.#feed({ kind: "due", timer: command.timer, atMs: this.#nowMs() });
        });
        return;
      case "abort":
        this.#attempts.cut(command, command.end);
        return;
      case "finish_step":
        ledger.finishStep(command.stepId, command);
        this.#emitStep(command);
        return;
      case "start_finally":
        ledger.startFinally(command.status);
        return;
      case "settle_run":
        this.#ending = this.#refused ? poisonedEnding : command;
    }
  }

  #refuse({ stepId, index, attempt }: AttemptRef): void {
    this.#refused = true;
    const at = { stepId, index, attempt, atMs: this.#nowMs() };
    this.#feed({ kind: "not_started", ...at, class: "poison", code: "RUN_POISONED" });
  }

  async #attempt(ledger: RunLedger, at: Dispatch, all: AbortSignal): Promise<void> {
    const attempt = this.#attempts.open(at);
    try {
      const controls = { cut: attempt.cut, all, onStart: attempt.start };
      this.#take(ledger, at, await attemptStep(this.#room, ledger, at, controls));
    } finally {
      attempt.close();
      this.#notify();
    }
  }

  #take(ledger: RunLedger, at: AttemptRef, ending: AttemptEnding): void {
    const { stepId, index, attempt } = at;
    const atMs = this.#nowMs();
    switch (ending.kind) {
      case "stored": {
        ledger.add(ending.outcome);
        const { status, class: errorClass, code, endedUtc } = ending.outcome;
        const end = { status, class: errorClass, code, endedMs: Date.parse(endedUtc) };
        this.#feed({ kind: "attempt_ended", stepId, index, attempt, ...end });
        return;
      }
      case "not_started":
        this.#feed({ kind: "not_started", stepId, index, attempt, class: ending.class, code: ending.code, atMs });
        return;
      case "withdrawn": {
        // A drain leaves the run as it is; a cancelled attempt that never began has no row, only this end.
        if (this.#draining) return;
        const end = { status: "cancelled", class: "cancelled", code: ending.code, endedMs: atMs } as const;
        this.#feed({ kind: "attempt_ended", stepId, index, attempt, ...end });
        return;
      }
      case "fenced":
        this.kill("fenced");
    }
  }

  async #part(): Promise<Parting> {
    const failure = this.#failure;
    if (this.#parting === null && failure !== null) await this.#endBroken(failure.error);
    if (this.#parting !== null) return this.#parting;
    const ending = failure === null ? this.#ending : brokenEnding;
    if (ending === null) return "left";
    try {
      return await this.#settle(ending);
    } catch (error) {
      const killed = this.#killedAs();
      if (killed !== null) return killed;
      this.#log().error({ error }, "a run cannot be settled, it stays claimed");
      return "stuck";
    }
  }

  // Asked anew after each wait: `kill` may have come meanwhile.
  #killedAs(): Parting | null {
    return this.#parting;
  }

  // Loud, and only this run: what executes is ended and stored as far as it goes, for the record must name it.
  async #endBroken(error: unknown): Promise<void> {
    this.#log().error({ error }, "a run broke on something unexpected and is failed");
    this.#attempts.cutAll(new Fault("RUN_CANCELLED", "the run is failed"));
    await this.#attempts.ended();
  }

  async #settle(ending: RunEnding): Promise<Parting> {
    const cancel = this.#cancel;
    const bare = () => unreadableSettlement(this.#room, this.claimed, { ending: bareEnding(ending), cancel });
    const full = this.#ledger === null ? bare() : settlementOf(this.#room, this.#ledger, { ending, cancel });
    return await storeSettlement(this.#room, this.claimed, { full, bare }, this.#tasks.signal);
  }

  #feed(event: WalkEvent): void {
    this.#events.push(event);
    this.#notify();
  }

  #fail(error: unknown): void {
    if (this.#parting === null) this.#failure ??= { error };
    this.#notify();
  }

  #emitStart(): void {
    const { tenant, dagId, runId, attempts, marks } = this.claimed;
    const resumed = attempts.length + marks.length > 0;
    this.#room.deps.emit({ kind: "run_started", tenant, dagId, runId, resumed });
  }

  #emitStep({ stepId, status, reason, code }: StepEnd & { readonly stepId: string }): void {
    const { tenant, dagId, runId } = this.claimed;
    this.#room.deps.emit({ kind: "step_ended", tenant, dagId, runId, stepId, status, reason, code });
  }

  #log(): Logger {
    const { tenant, dagId, runId } = this.claimed;
    return this.#room.deps.log.with({ tenant, dagId, runId });
  }

  #nowMs(): number {
    return this.#room.deps.clock.now().getTime();
  }
}
