import { randomBytes } from "node:crypto";
import type { Service } from "../base/index.ts";
import { watchRefs } from "../git/index.ts";
import {
  type BreakGlass,
  createBreakGlass,
  createHistoryAcceptance,
  createReconciler,
  type HistoryAcceptance,
  type Reconciler,
} from "../reconciler/index.ts";
import { createRecorder, type Recorder, type RecorderOptions, recorderDefaults } from "../recorder/index.ts";
import { createScheduler, type Scheduler, type StarterDeps } from "../scheduler/index.ts";
import { nodeTrustCrypto } from "../signer/index.ts";
import type { Metrics } from "../telemetry/index.ts";
import type { Worker, WorkerEvent } from "../worker/index.ts";
import { type ClockGuard, createClockGuard } from "./clock-guard.ts";
import type { Emit } from "./daemon-event.ts";
import { createHousekeeping } from "./housekeeping.ts";
import { type Plant, pinnedSigners } from "./plant.ts";
import type { SiteView } from "./site-view.ts";
import { wireWorker } from "./worker-wire.ts";

export interface WireInput {
  readonly plant: Plant;
  readonly view: SiteView;
  readonly metrics: Metrics;
  readonly emit: Emit;
  readonly recorder: Partial<Pick<RecorderOptions, "maxWaitMs" | "maxRecords" | "burst" | "refillMs">>;
}

export interface Engines {
  /** In the order in which they start. */
  readonly services: readonly Service[];
  readonly recorder: Recorder;
  /** What starting a run by hand needs. */
  readonly starting: StarterDeps;
  readonly breakGlass: BreakGlass;
  readonly history: HistoryAcceptance;
}

/** The only place where engines meet: each knows the others as a wake-up without a payload. */
export function wireEngines(input: WireInput): Engines {
  const { plant, metrics, emit } = input;
  const guard = createClockGuard(plant);
  const recorder = wireRecorder(input, guard);
  const worker = wireWorker(plant, (event) => {
    if (event.kind === "run_settled") endRun(event, metrics, recorder);
    emit(event);
  });
  const starting = startingDeps(input, { worker, recorder, guard });
  const scheduler = createScheduler(starting, { site: plant.config.site, runtime: plant.runtime });
  const reconciler = wireReconciler(input, { scheduler, worker, recorder });
  const watcher = wireWatcher(plant, reconciler);
  const housekeeping = createHousekeeping(plant, guard, {
    wakeScheduler: () => scheduler.wake(),
    wakeWorker: () => worker.wake(),
  });
  return {
    services: [recorder, worker, reconciler, watcher, scheduler, housekeeping],
    recorder,
    starting,
    breakGlass: wireBreakGlass(plant, [reconciler, recorder]),
    history: wireHistory(plant, [reconciler, recorder]),
  };
}

function endRun(event: Extract<WorkerEvent, { kind: "run_settled" }>, metrics: Metrics, recorder: Recorder): void {
  metrics.runEnded(event.tenant, event.status, event.durationMs / 1000);
  recorder.wake();
}

function wireRecorder({ plant, view, emit, recorder }: WireInput, guard: ClockGuard): Recorder {
  const { config, clock, log, store, signer, auditRepository, auditWriter, runtime } = plant;
  return createRecorder(
    {
      ...{ outbox: store.audit, signer, repository: auditRepository, writer: auditWriter, clock, log },
      random: Math.random,
      clockIsSuspect: () => guard.isSuspect(),
      onState: (state) => {
        view.takeRecorder(state);
        emit({ kind: "recorder", state });
      },
    },
    { ...recorderDefaults, ...recorder, site: config.site, runtime, maxLagMs: config.audit.maxLagMs },
  );
}

function startingDeps(
  { plant, metrics, view }: WireInput,
  woken: { readonly worker: Worker; readonly recorder: Recorder; readonly guard: ClockGuard },
): StarterDeps {
  const { store, compute, clock, log, gate } = plant;
  return {
    ...{ admission: store.admission, ledger: store.ledger, compute, clock, log, gate, randomBytes },
    wakeWorker: () => woken.worker.wake(),
    holdsSlots: () => !view.isJudged || woken.guard.isSuspect(),
    onRefused: (tenant, outcome, _reason, count) => {
      metrics.runRefused(tenant, outcome, count);
      woken.recorder.wake();
    },
  };
}

interface Woken {
  readonly scheduler: Scheduler;
  readonly worker: Worker;
  readonly recorder: Recorder;
}

const reconcileEveryMs = 60_000;

function wireReconciler({ plant, view, metrics, emit }: WireInput, { scheduler, worker, recorder }: Woken): Reconciler {
  const { config, repository, compute, store, clock, log, gate, signer, runtime } = plant;
  return createReconciler(
    {
      ...{ repository, compute, revision: store.revision, crypto: nodeTrustCrypto, clock, log, gate },
      secrets: plant.secrets.sources.states,
      random: Math.random,
      recorderKey: () => signer.publicKey.blob,
      onPass: (result) => {
        view.takePass(result);
        for (const tenant of result.tenants) metrics.openTenant(tenant);
        for (const engine of [scheduler, worker, recorder]) engine.wake();
        emit({ kind: "pass", result });
      },
    },
    {
      site: config.site,
      specRef: config.specRef,
      runtime,
      pinnedSigners: pinnedSigners(config),
      intervalMs: reconcileEveryMs,
    },
  );
}

function wireBreakGlass(
  { config, store, clock, runtime }: Plant,
  woken: readonly { readonly wake: () => void }[],
): BreakGlass {
  const wake = (): void => {
    for (const engine of woken) engine.wake();
  };
  const { suspensions, ledger } = store;
  return createBreakGlass({ suspensions, ledger, clock, wake }, { site: config.site, runtime });
}

function wireHistory(
  { config, repository, store, clock, runtime }: Plant,
  woken: readonly { readonly wake: () => void }[],
): HistoryAcceptance {
  const wake = (): void => {
    for (const engine of woken) engine.wake();
  };
  const facts = { site: config.site, specRef: config.specRef, runtime };
  return createHistoryAcceptance({ repository, revision: store.revision, clock, wake }, facts);
}

const pollRefMs = 2000;
/** An approval that arrives may be what a commit waits for. */
const approvalsFolder = "refs/orrery/approvals";

function wireWatcher({ config, repository, clock, log }: Plant, reconciler: Reconciler): Service {
  return watchRefs({
    ...{ repository, refs: [config.specRef], folders: [approvalsFolder], pollMs: pollRefMs, clock },
    onWake: () => reconciler.wake(),
    onFailure: (error: unknown) => log.warn({ error }, "watching the repository failed, the poll goes on"),
  });
}
