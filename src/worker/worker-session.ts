import { backoffMs, type Fault, faultOf, TaskGroup, WakeUp, withJitter } from "../base/index.ts";
import type { ClaimedRun, RunRef, Store, WorkerNews } from "../store/index.ts";
import { abortable } from "./plant/abortable.ts";
import { createBlobCache } from "./plant/blob-cache.ts";
import { DispatchGate } from "./plant/dispatch-gate.ts";
import { leaseExpired, watchFence } from "./plant/fence-watch.ts";
import { createGrantCache } from "./plant/grant-cache.ts";
import { lastingCall } from "./plant/lasting-call.ts";
import { lastingCompute } from "./plant/lasting-compute.ts";
import { RunDrive } from "./run/run-drive.ts";
import type { WorkerDeps, WorkerOptions } from "./worker-deps.ts";
import type { WorkerRoom } from "./worker-room.ts";

type OwnedSeam = ReturnType<Store["createWorkerSeam"]>;

const turnBackoff = { firstMs: 100, factor: 2, maxMs: 2_000 };
const runsPerHost = 2;
/** Giving runs back is a courtesy: their lease ends by itself. */
const courtesyMs = 5_000;

/** One registration of a worker, from its row to its end: claims runs, drives them, beats. */
export class WorkerSession {
  readonly #workerId: string;
  readonly #owned: OwnedSeam;
  readonly #room: WorkerRoom;
  readonly #tasks: TaskGroup;
  readonly #wake = new WakeUp();
  readonly #drives = new Set<RunDrive>();
  readonly #left: RunRef[] = [];
  #draining = false;
  readonly #waiting: (() => void)[] = [];
  #burial: Promise<void> | null = null;
  #lastBeatMs: number;
  #followsGrants = false;

  private constructor(deps: WorkerDeps, options: WorkerOptions, owned: { workerId: string; seam: OwnedSeam }) {
    this.#workerId = owned.workerId;
    this.#owned = owned.seam;
    this.#lastBeatMs = deps.clock.monotonicMs();
    this.#tasks = new TaskGroup((_task, error) => this.#die(faultOf(error)));
    this.#room = {
      deps,
      options,
      seam: watchFence(owned.seam, (fault) => this.#die(fault)),
      gate: new DispatchGate(() => deps.hosts.capacity),
      grants: createGrantCache((tenant, known, signal) =>
        lastingCall(deps, "currentGrants", () => deps.currentGrants(tenant, known, signal), signal),
      ),
      compute: lastingCompute(deps),
      rested: () => this.wake(),
      blobs: createBlobCache(
        (tenant, sha256, signal) => lastingCall(deps, "readBlob", () => deps.readBlob(tenant, sha256, signal), signal),
        options.blobCacheBytes,
      ),
    };
  }

  /** Registers a fresh worker and begins to claim; waits for a store that is away until `signal` aborts. */
  static async open(deps: WorkerDeps, options: WorkerOptions, signal: AbortSignal): Promise<WorkerSession> {
    const register = (): ReturnType<typeof deps.queue.registerWorker> => deps.queue.registerWorker(options.name);
    const worker = await lastingCall(deps, "registerWorker", register, signal);
    const seam = deps.createSeam(worker);
    try {
      await lastingCall(deps, "startSeam", () => seam.start(), signal);
    } catch (error) {
      await seam.stop();
      throw error;
    }
    const session = new WorkerSession(deps, options, { workerId: worker.workerId, seam });
    session.#tasks.run("turns", (signal) => session.#turns(signal));
    session.#tasks.run("lease", (signal) => session.#watchLease(signal));
    return session;
  }

  wake(): void {
    this.#wake.wake();
  }

  /** Clean end: running attempts get their grace, runs go back to the queue, the worker's row ends. */
  async close(): Promise<void> {
    this.#draining = true;
    for (const drive of this.#drives) drive.drain();
    await this.#grace();
    for (const drive of this.#drives) drive.kill("left");
    await this.#emptied();
    if (this.#burial === null) await this.#courtesies();
    await this.#tasks.stop();
    await this.#owned.stop();
    await this.#burial;
  }

  async #turns(signal: AbortSignal): Promise<void> {
    const { deps, options } = this.#room;
    for (let failures = 0; ; ) {
      failures = (await this.#turn(signal)) ? 0 : failures + 1;
      const waitMs = failures === 0 ? options.heartbeatMs : withJitter(backoffMs(failures, turnBackoff), deps.random);
      await this.#wake.wait((until) => deps.clock.sleep(waitMs, until), signal);
    }
  }

  /** One beat and one claim; false where the store did not answer. */
  async #turn(signal: AbortSignal): Promise<boolean> {
    const { deps, seam } = this.#room;
    const beganMs = deps.clock.monotonicMs();
    const free = this.#draining ? 0 : this.#free();
    const calls = Promise.allSettled([free > 0 ? seam.claim(free) : [], seam.heartbeat()]);
    const [claim, beat] = await abortable(calls, signal);
    if (claim.status === "fulfilled") for (const run of claim.value) this.#drive(run);
    if (beat.status === "fulfilled") {
      this.#lastBeatMs = beganMs;
      this.#hear(beat.value);
    }
    const failed = [claim, beat].find((call) => call.status === "rejected");
    if (failed === undefined) return true;
    const fault = faultOf(failed.reason);
    if (fault.disposition === "crash") this.#die(fault);
    deps.log.warn({ code: fault.code, error: failed.reason }, "the queue does not answer, trying again");
    return false;
  }

  // Some runs more than hosts, so that no host waits for a commit; but never a hoard that other workers could run.
  #free(): number {
    const { deps, options } = this.#room;
    const active = [...this.#drives].filter((drive) => !drive.isResting).length;
    return Math.max(0, Math.min(options.maxRuns - this.#drives.size, deps.hosts.capacity * runsPerHost - active));
  }

  // A store that does not answer keeps calls waiting instead of failing them: only the clock tells that a lease is gone.
  async #watchLease(signal: AbortSignal): Promise<void> {
    const { deps, options } = this.#room;
    for (;;) {
      const leftMs = this.#lastBeatMs + options.leaseTtlMs - deps.clock.monotonicMs();
      if (leftMs <= 0) break;
      await deps.clock.sleep(leftMs, signal);
    }
    this.#die(leaseExpired());
  }

  #hear(news: WorkerNews): void {
    this.#room.gate.setWorkers(news.workers);
    for (const request of news.cancelled) {
      for (const drive of this.#drives) {
        const { tenant, runId } = drive.claimed;
        if (tenant === request.tenant && runId === request.runId) drive.cancel(request);
      }
    }
    this.#tasks.run("grants", (signal) => this.#followGrants(news.tenantRevisions, signal));
  }

  // Beside the beat: a read that hangs must not cost the lease.
  async #followGrants(revisions: WorkerNews["tenantRevisions"], signal: AbortSignal): Promise<void> {
    if (this.#followsGrants) return;
    this.#followsGrants = true;
    try {
      await this.#room.grants.follow(revisions, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#room.deps.log.error({ error }, "the grants of a tenant cannot be read, nothing is granted until they can");
    } finally {
      this.#followsGrants = false;
    }
  }

  #drive(run: ClaimedRun): void {
    const { tenant, runId, fence } = run;
    // Claimed anew while our own old claim of it still winds down: that one is worth nothing any more.
    for (const old of this.#drives)
      if (old.claimed.runId === runId && old.claimed.tenant === tenant) old.kill("fenced");
    const drive = new RunDrive(this.#room, run);
    this.#drives.add(drive);
    this.#tasks.run("run", async () => {
      const parting = await drive.run();
      this.#drives.delete(drive);
      if (parting === "left") this.#left.push({ tenant, runId, fence });
      if (![...this.#drives].some((other) => other.claimed.tenant === tenant)) this.#room.grants.forget(tenant);
      if (this.#drives.size === 0) for (const resolve of this.#waiting.splice(0)) resolve();
      this.wake();
    });
    if (this.#draining) drive.drain();
  }

  // The hosts die before anything else happens: what they would still do is no longer ours to do.
  #die(fault: Fault): void {
    if (this.#burial !== null) return;
    this.#room.deps.hosts.killAll();
    for (const drive of this.#drives) drive.kill("fenced");
    this.#room.deps.log.error({ code: fault.code, error: fault }, "worker ends, its runs are no longer its own");
    this.#burial = this.#bury(fault);
  }

  async #bury(fault: Fault): Promise<void> {
    const { deps } = this.#room;
    await this.#emptied();
    await this.#tasks.stop();
    try {
      await this.#owned.stop();
    } catch (error) {
      deps.log.error({ error }, "the seam of a dead worker did not stop");
    }
    if (!this.#draining) deps.failed(fault);
  }

  async #grace(): Promise<void> {
    const { clock } = this.#room.deps;
    const over = new AbortController();
    const patience = clock.sleep(this.#room.options.stopGraceMs, over.signal).catch(() => undefined);
    await Promise.race([this.#emptied(), patience]);
    over.abort();
    await patience;
  }

  #emptied(): Promise<void> {
    if (this.#drives.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #courtesies(): Promise<void> {
    const { deps, seam } = this.#room;
    const over = new AbortController();
    const patience = deps.clock.sleep(courtesyMs, over.signal).catch(() => undefined);
    const work = async (): Promise<void> => {
      if (this.#left.length > 0) await seam.release(this.#left);
      await deps.queue.retireWorker(this.#workerId);
    };
    const done = work().catch((error: unknown) => {
      deps.log.warn({ error }, "runs were not given back, they are taken up when the lease ends");
    });
    await Promise.race([done, patience]);
    over.abort();
    await patience;
  }
}
