import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Service } from "../../../src/base/index.ts";
import type {
  AdmissionAnswer,
  ClaimedRun,
  DrainedBatch,
  SealedRecord,
  Store,
  WorkerSeam,
} from "../../../src/store/index.ts";
import { rounds, soakTimeout } from "../../support/effort.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import {
  applyTenant,
  cancelledBody,
  commitOf,
  dagWrite,
  manualRequest,
  outcomeOf,
  quotaOf,
  settlementOf,
} from "../../support/store-fixtures.ts";
import { openStoreWorld, type StoreWorld } from "../../support/store-world.ts";

// The reference model: what admission, claim, fence, settle and seal mean, in the simplest words. It says everything but
// the order between tenants, which tags decide and the queue's own test checks.

const tenants = ["acme", "globex"] as const;
type Tenant = (typeof tenants)[number];
const dags = { narrow: { max: 1 }, wide: { max: 100 } } as const;
type Dag = keyof typeof dags;
const quota = { acme: { maxConcurrent: 3, maxQueued: 4 }, globex: { maxConcurrent: 1, maxQueued: 3 } } as const;
const workerCount = 3;

interface ModelRun {
  readonly tenant: Tenant;
  readonly dag: Dag;
  readonly instant: string;
  state: "waiting" | "ready" | "running" | "succeeded" | "cancelled";
  fence: number;
  worker: number | null;
  asked: boolean;
}

class Model {
  readonly runs = new Map<string, ModelRun>();
  readonly keys = new Map<string, { readonly inputs: string; readonly runId: string }>();
  readonly runNos = new Map<string, number>();
  readonly attempts = new Set<string>();
  /** Record ids that wait, and those sealed, each by tenant. */
  readonly outbox = new Map<string, Tenant>();
  readonly sealed = new Map<Tenant, string[]>();

  of(tenant: Tenant, ...states: ModelRun["state"][]): [string, ModelRun][] {
    return [...this.runs].filter(([, run]) => run.tenant === tenant && states.includes(run.state));
  }

  promote(tenant: Tenant): void {
    const waiting = this.of(tenant, "waiting").sort(([a, x], [b, y]) =>
      order([x.instant, x.dag, a], [y.instant, y.dag, b]),
    );
    for (const [, run] of waiting) {
      const admitted = this.of(tenant, "ready", "running");
      const busy = admitted.filter(([, other]) => other.dag === run.dag).length;
      if (admitted.length < quota[tenant].maxConcurrent && busy < dags[run.dag].max) run.state = "ready";
    }
  }

  end(runId: string, state: "succeeded" | "cancelled"): void {
    const run = this.runs.get(runId)!;
    run.state = state;
    run.worker = null;
    this.outbox.set(`run/${runId}`, run.tenant);
    this.promote(run.tenant);
  }
}

const order = (left: readonly string[], right: readonly string[]): number => {
  for (const [n, text] of left.entries()) if (text !== right[n]) return text < (right[n] ?? "") ? -1 : 1;
  return 0;
};

interface Real {
  readonly store: Store;
  readonly clock: FakeClock;
  readonly seams: (WorkerSeam & Service & { readonly workerId: string })[];
  /** Everything that a worker ever claimed, its stale claims too. */
  readonly claims: ClaimedRun[][];
  readonly newWorker: StoreWorld["worker"];
  batch: number;
  compare(model: Model): Promise<void>;
}

type Command = fc.AsyncCommand<Model, Real>;

abstract class Step implements Command {
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    await this.act(model, real);
    await real.compare(model);
  }
  abstract act(model: Model, real: Real): Promise<void>;
  abstract toString(): string;
}

class Admit extends Step {
  readonly what: { tenant: Tenant; dag: Dag; key: number; inputs: number; tickMs: number };
  constructor(what: Admit["what"]) {
    super();
    this.what = what;
  }
  async act(model: Model, real: Real): Promise<void> {
    const { tenant, dag } = this.what;
    await real.clock.advance(this.what.tickMs);
    const key = `${String(runNumber)}-${String(this.what.key)}`;
    const inputs = `{"n":${String(this.what.inputs)}}`;
    const request = manualRequest(real.clock, { tenant, dagId: dag, key, inputs });

    const [answer] = await real.store.admission.admit([request]);

    expect(answer).toEqual(
      this.#expected(model, { key: `${tenant}/${dag}/${key}`, inputs, runId: request.runId, instant: request.instant }),
    );
  }
  #expected(
    model: Model,
    { key, inputs, runId, instant }: { key: string; inputs: string; runId: string; instant: string },
  ): AdmissionAnswer {
    const { tenant, dag } = this.what;
    const known = model.keys.get(key);
    if (known !== undefined) {
      return known.inputs === inputs
        ? { kind: "existing", runId: known.runId }
        : { kind: "refused", code: "IDEMPOTENCY_KEY_REUSED" };
    }
    if (model.of(tenant, "waiting", "ready").length >= quota[tenant].maxQueued)
      return { kind: "refused", code: "QUEUE_FULL" };
    const runNo = (model.runNos.get(`${tenant}/${dag}`) ?? 0) + 1;
    model.runNos.set(`${tenant}/${dag}`, runNo);
    model.keys.set(key, { inputs, runId });
    model.runs.set(runId, { tenant, dag, instant, state: "waiting", fence: 0, worker: null, asked: false });
    model.promote(tenant);
    return { kind: "admitted", runId, runNo };
  }
  toString(): string {
    return `admit(${JSON.stringify(this.what)})`;
  }
}

class Claim extends Step {
  readonly worker: number;
  readonly max: number;
  constructor(worker: number, max: number) {
    super();
    this.worker = worker;
    this.max = max;
  }
  async act(model: Model, real: Real): Promise<void> {
    const ready = tenants.flatMap((tenant) => model.of(tenant, "ready").map(([runId]) => runId));

    const claimed = await real.seams[this.worker]!.claim(this.max);

    expect(claimed).toHaveLength(Math.min(this.max, ready.length));
    for (const run of claimed) {
      const known = model.runs.get(run.runId)!;
      expect([run.runId, known.state]).toEqual([run.runId, "ready"]);
      known.state = "running";
      known.worker = this.worker;
      known.fence += 1;
      expect([run.runId, run.fence]).toEqual([run.runId, known.fence]);
      const stored = [...model.attempts]
        .filter((id) => id.startsWith(`${run.runId}/`))
        .map((id) => id.slice(run.runId.length + 1));
      expect(run.attempts.map((attempt) => attempt.stepId)).toEqual(stored.sort());
      real.claims[this.worker]!.push(run);
    }
  }
  toString(): string {
    return `claim(${String(this.worker)}, ${String(this.max)})`;
  }
}

/** A command about one claim that a worker made, valid or stale. */
abstract class OnClaim extends Step {
  readonly worker: number;
  readonly pick: number;
  constructor(worker: number, pick: number) {
    super();
    this.worker = worker;
    this.pick = pick;
  }
  async act(model: Model, real: Real): Promise<void> {
    const claims = real.claims[this.worker]!;
    const claim = claims[this.pick % Math.max(1, claims.length)];
    if (claim === undefined) return;
    const run = model.runs.get(claim.runId)!;
    const live = run.state === "running" && run.worker === this.worker && run.fence === claim.fence;
    await this.on(model, { seam: real.seams[this.worker]!, claim, run, live });
  }
  abstract on(model: Model, at: { seam: WorkerSeam; claim: ClaimedRun; run: ModelRun; live: boolean }): Promise<void>;
  toString(): string {
    return `${this.constructor.name.toLowerCase()}(${String(this.worker)}, ${String(this.pick)})`;
  }
}

class Report extends OnClaim {
  async on(model: Model, { seam, claim, live }: Parameters<OnClaim["on"]>[1]): Promise<void> {
    const step = `s${String(this.pick % 2)}`;
    const id = `${claim.runId}/${step}`;

    const verdicts = await seam.report([outcomeOf(claim, step)]);

    expect(verdicts).toEqual([!live ? "fenced" : model.attempts.has(id) ? "duplicate" : "stored"]);
    if (live) model.attempts.add(id);
  }
}

class Settle extends OnClaim {
  async on(model: Model, { seam, claim, run, live }: Parameters<OnClaim["on"]>[1]): Promise<void> {
    const verdicts = await seam.settle([settlementOf(claim)]);

    const before = run.state === "succeeded" && run.fence === claim.fence;
    expect(verdicts).toEqual([live ? "stored" : before ? "duplicate" : "fenced"]);
    if (live) model.end(claim.runId, "succeeded");
  }
}

class Release extends OnClaim {
  async on(_: Model, { seam, claim, run, live }: Parameters<OnClaim["on"]>[1]): Promise<void> {
    expect(await seam.release([claim])).toEqual([live ? "stored" : "fenced"]);
    if (!live) return;
    run.state = "ready";
    run.worker = null;
    run.fence += 1;
  }
}

class Lose extends Step {
  readonly worker: number;
  constructor(worker: number) {
    super();
    this.worker = worker;
  }
  async act(model: Model, real: Real): Promise<void> {
    const seam = real.seams[this.worker]!;
    await real.store.queue.retireWorker(seam.workerId);
    for (const run of model.runs.values()) {
      if (run.worker !== this.worker) continue;
      run.state = "ready";
      run.worker = null;
      run.fence += 1;
    }
    await expect(seam.heartbeat()).rejects.toMatchObject({ code: "WORKER_FENCED" });
    await seam.stop();
    real.seams[this.worker] = await real.newWorker();
    real.claims[this.worker] = [];
  }
  toString(): string {
    return `lose(${String(this.worker)})`;
  }
}

class Cancel extends Step {
  readonly pick: number;
  constructor(pick: number) {
    super();
    this.pick = pick;
  }
  async act(model: Model, real: Real): Promise<void> {
    const all = [...model.runs];
    const [runId, run] = all[this.pick % Math.max(1, all.length)] ?? [];
    if (runId === undefined || run === undefined) return;
    const actor = { kind: "user" as const, subject: "ana", key: null };
    const now = real.clock.now().toISOString();

    const answer = await real.store.admission.cancel({
      tenant: run.tenant,
      runId,
      actor,
      rationale: null,
      now,
      bodyOf: cancelledBody,
    });

    const queued = run.state === "waiting" || run.state === "ready";
    expect(answer).toEqual({ kind: queued ? "cancelled" : run.state === "running" ? "asked" : "finished" });
    if (queued) model.end(runId, "cancelled");
  }
  toString(): string {
    return `cancel(${String(this.pick)})`;
  }
}

class Seal extends Step {
  async act(model: Model, real: Real): Promise<void> {
    real.batch += 1;
    const now = real.clock.now().toISOString();
    const drained = await real.store.audit.drain({ batch: real.batch, limit: 1000, maxBytes: 1e7, now });
    // Denials of used keys and full queues are bodies too; the model counts runs.
    const ids = drained.bodies.map((body) => body.recordId).filter((id) => id.startsWith("run/"));
    expect(ids.sort()).toEqual([...model.outbox.keys()].sort());
    const records = recordsOf(drained, now);
    const rest = { commit: commitOf(real.batch), parent: null, objects: [], size: 0, root: "", frontier: [] };
    await real.store.audit.prepare({ batch: real.batch, timestamp: now, records, ...rest });
    await real.store.audit.seal(real.batch, records);
    for (const [id, tenant] of model.outbox) model.sealed.set(tenant, [...(model.sealed.get(tenant) ?? []), id]);
    model.outbox.clear();
  }
  toString(): string {
    return "seal()";
  }
}

function recordsOf({ bodies, chains }: DrainedBatch, timestamp: string): readonly SealedRecord[] {
  const seqs = new Map(chains.map((chain) => [chain.tenant, chain.lastSeq]));
  return bodies.map(({ tenant, recordId }) => {
    const seq = (seqs.get(tenant) ?? 0) + 1;
    seqs.set(tenant, seq);
    return { tenant, seq, recordId, timestamp, line: recordId };
  });
}

const worker = fc.nat({ max: workerCount - 1 });
const commands: fc.Arbitrary<Command>[] = [
  fc
    .record({
      tenant: fc.constantFrom(...tenants),
      dag: fc.constantFrom("narrow" as const, "wide" as const),
      key: fc.nat({ max: 12 }),
      inputs: fc.nat({ max: 1 }),
      tickMs: fc.nat({ max: 2 }),
    })
    .map((what) => new Admit(what)),
  fc.tuple(worker, fc.integer({ min: 1, max: 3 })).map(([at, max]) => new Claim(at, max)),
  fc.tuple(worker, fc.nat({ max: 9 })).map(([at, pick]) => new Report(at, pick)),
  fc.tuple(worker, fc.nat({ max: 9 })).map(([at, pick]) => new Settle(at, pick)),
  fc.tuple(worker, fc.nat({ max: 9 })).map(([at, pick]) => new Release(at, pick)),
  worker.map((at) => new Lose(at)),
  fc.nat({ max: 20 }).map((pick) => new Cancel(pick)),
  fc.constant(new Seal()),
];

let runNumber = 0;
let world: StoreWorld;
const clock = new FakeClock("2026-11-24T10:00:00.000Z");

beforeAll(async () => {
  world = await openStoreWorld(clock);
  for (const tenant of tenants) {
    const applied = (Object.keys(dags) as Dag[]).map((dagId) => dagWrite({ dagId, max: dags[dagId].max }));
    await applyTenant(world.store, { tenant, quota: quotaOf(quota[tenant]), dags: applied });
  }
});
afterAll(() => world[Symbol.asyncDispose]());

/** Every unfinished run, every counter and every chain stand as the model says. */
async function compare(model: Model): Promise<void> {
  const live = await world.db.admin<{ run_id: string; state: string; fence: number }>(
    "select run_id, case when state = 'queued' and tag is null then 'waiting' when state = 'queued' then 'ready' else state end as state, fence from run_live order by 1",
  );
  const unfinished = tenants.flatMap((tenant) => model.of(tenant, "waiting", "ready", "running"));
  expect(live).toEqual(
    unfinished
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([runId, { state, fence }]) => ({ run_id: runId, state, fence })),
  );
  expect(await world.db.admin("select tenant_id, admitted from tenant order by 1")).toEqual(
    tenants.map((tenant) => ({ tenant_id: tenant, admitted: model.of(tenant, "ready", "running").length })),
  );
}

async function setup(): Promise<{ model: Model; real: Real }> {
  runNumber += 1;
  await clock.advance(1000);
  // Of an earlier round only the ledger stays: that cannot be taken back. An outbox is left only by one that failed.
  await world.db.admin(
    "truncate step_live, run_live; delete from outbox; delete from counter where name like 'run/%'; update tenant set admitted = 0",
  );
  const seams = await Promise.all([...Array(workerCount).keys()].map(() => world.worker()));
  const last = await world.store.audit.lastBatch();
  const real: Real = {
    store: world.store,
    clock,
    seams,
    claims: seams.map(() => []),
    newWorker: () => world.worker(),
    batch: last?.batch ?? 0,
    compare,
  };
  return { model: new Model(), real };
}

describe("the store against its reference model", () => {
  it(
    "agrees after every command: admission, claim, fence, settle, cancel, loss and seal",
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.commands(commands, { size: "+1", maxCommands: 40 }), async (sequence) => {
          const bundle = await setup();
          try {
            await fc.asyncModelRun(() => bundle, sequence);
            await new Seal().run(bundle.model, bundle.real);
          } finally {
            await Promise.all(bundle.real.seams.map((seam) => seam.stop()));
          }
        }),
        { numRuns: rounds(20, 1000) },
      );

      const gaps = await world.db.admin(
        "select tenant_id from record group by tenant_id having max(seq) <> count(*) or min(seq) <> 1",
      );
      const twice = await world.db.admin(
        "select record_id from record group by tenant_id, record_id having count(*) > 1",
      );
      const unrecorded = await world.db.admin(
        "select run_id from run r where not exists (select 1 from record where record_id = 'run/' || r.run_id)",
      );
      expect([gaps, twice, unrecorded]).toEqual([[], [], []]);
    },
    soakTimeout(180_000),
  );
});
