import type { Fault } from "../../base/index.ts";
import type { AttemptRef } from "../../dag/index.ts";
import type { RunRecord } from "../../record/index.ts";
import { lendsSecrets, type SandboxHosts, type StepLogLine } from "../../sandbox/index.ts";
import { createSecretGuard, type SecretSources } from "../../secret/index.ts";
import type { AttemptOutcome, ClaimedRun, Settlement } from "../../store/index.ts";
import { createRedact, type LogFields, type Logger } from "../../telemetry/index.ts";
import { createWorker, type WorkerDeps, type WorkerEvent } from "../../worker/index.ts";
import type { LocalPlant } from "./local-plant.ts";
import { createLocalQueue, type LocalQueue } from "./local-queue.ts";
import { claimedRun, type LocalRequest, localRevision, localSite } from "./local-request.ts";

/** Hears of a local run as it goes. Texts come without the secrets of the step; control characters are theirs to mask. */
export interface LocalObserver {
  readonly started: (run: ClaimedRun) => void;
  readonly attemptStarted: (at: AttemptRef) => void;
  readonly logged: (at: AttemptRef, line: StepLogLine) => void;
  /** `detail`: what the plugin or the host said of a failure. */
  readonly attemptEnded: (outcome: AttemptOutcome, detail: string | null) => void;
  readonly stepEnded: (end: Extract<WorkerEvent, { kind: "step_ended" }>) => void;
  /** What the worker warns of: expressions that fail, steps that are refused. */
  readonly warned: (fields: LogFields, message: string) => void;
}

export interface LocalOutcome {
  readonly run: ClaimedRun;
  readonly settlement: Settlement;
  /** The record as it would be written; nothing writes it. */
  readonly record: RunRecord;
  /** By the order in which they ended. */
  readonly attempts: readonly AttemptOutcome[];
}

const heartbeatMs = 1000;
/** Nobody else could take the run: the lease is only there because the seam has one. */
const leaseTtlMs = 24 * 3_600_000;
const mebibyte = 1024 * 1024;

/**
 * Drives one run by the worker that daemons have, over a queue of one in memory. An abort cancels the run and waits for
 * its end, `finally` steps included.
 */
export async function runLocally(
  plant: LocalPlant,
  request: LocalRequest,
  wanted: { readonly observer: LocalObserver; readonly secrets: Pick<SecretSources, "find"> },
  signal: AbortSignal,
): Promise<LocalOutcome> {
  const run = claimedRun(request, plant.clock.now());
  const { observer } = wanted;
  let settle: (settlement: Settlement) => void = () => undefined;
  let fail: (fault: Fault) => void = () => undefined;
  const ended = new Promise<Settlement>((resolve, reject) => {
    settle = resolve;
    fail = reject;
  });
  const queue = createLocalQueue(run, {
    attemptEnded: async (outcome) => observer.attemptEnded(outcome, await detailOf(plant, outcome)),
    settled: settle,
  });
  const deps = workerDeps({ plant, request, queue, ...wanted, failed: fail });
  const worker = createWorker(deps, workerOptions(plant));
  const cancel = (): void => {
    queue.cancel({ tenant: run.tenant, runId: run.runId, actor: run.actor, rationale: "interrupted" });
    worker.wake();
  };
  observer.started(run);
  await worker.start();
  if (signal.aborted) cancel();
  else signal.addEventListener("abort", cancel, { once: true });
  try {
    const settlement = await ended;
    const record = JSON.parse(settlement.bodyText) as RunRecord;
    return { run, settlement, record, attempts: queue.outcomes };
  } finally {
    signal.removeEventListener("abort", cancel);
    await worker.stop();
  }
}

interface Wiring {
  readonly plant: LocalPlant;
  readonly request: LocalRequest;
  readonly queue: LocalQueue;
  readonly observer: LocalObserver;
  readonly secrets: Pick<SecretSources, "find">;
  readonly failed: (fault: Fault) => void;
}

function workerDeps({ plant, request, queue, observer, secrets, failed }: Wiring): WorkerDeps {
  const { hosts, compute, artifacts, clock, lent } = plant;
  return {
    ...{ queue: queue.queue, createSeam: queue.createSeam, compute, artifacts, clock, failed },
    readSnapshot: () => Promise.resolve(request.snapshot),
    readBlob: (_tenant, sha256) => Promise.resolve(request.content(sha256)),
    approvalsOf: () => Promise.resolve([]),
    currentGrants: () => Promise.resolve({ revision: localRevision, allowlist: request.snapshot.allowlist }),
    secrets: { levelFits: lendsSecrets(plant.level), find: secrets.find, lend: lent.lend },
    hosts: observedHosts(hosts, observer),
    random: Math.random,
    log: warningsOf(observer, createRedact(lent.literals)),
    emit: (event) => {
      if (event.kind === "step_ended") observer.stepEnded(event);
    },
  };
}

const workerOptions = ({ runtime }: LocalPlant): Parameters<typeof createWorker>[1] => ({
  name: localSite,
  site: localSite,
  runtime,
  maxRuns: 1,
  heartbeatMs,
  leaseTtlMs,
  stopGraceMs: 1000,
  logBytes: mebibyte,
  artifactBytes: 256 * mebibyte,
  blobCacheBytes: 64 * mebibyte,
});

/** Tells of each attempt as it starts, and of what it says, besides running it. */
function observedHosts(hosts: LocalPlant["hosts"], observer: LocalObserver): LocalPlant["hosts"] {
  const run: SandboxHosts["run"] = (request, ports, signal) => {
    const at = { stepId: request.stepId, index: request.index, attempt: request.attempt };
    const own = createSecretGuard(request.secrets).redact;
    const shapes = createRedact();
    const redact = (text: string): string => shapes(own(text));
    observer.attemptStarted(at);
    const log = (line: StepLogLine): void => {
      ports.log(line);
      observer.logged(at, { level: line.level, message: redact(line.message), fields: redact(line.fields) });
    };
    return hosts.run(request, { ...ports, log }, signal);
  };
  return {
    run,
    killAll: () => hosts.killAll(),
    get capacity() {
      return hosts.capacity;
    },
  };
}

/** The last line of a failed attempt's log is the worker's own: what the host said. */
async function detailOf({ artifacts }: LocalPlant, outcome: AttemptOutcome): Promise<string | null> {
  if (outcome.status === "succeeded" || outcome.logsHash === null) return null;
  const pieces: Uint8Array[] = [];
  for await (const piece of artifacts.readLog(outcome.tenant, outcome.logsHash)) pieces.push(piece);
  const lines = Buffer.concat(pieces).toString("utf8").trimEnd().split("\n");
  const last = JSON.parse(lines.at(-1) ?? "{}") as { readonly message?: unknown; readonly code?: unknown };
  return last.code === outcome.code && typeof last.message === "string" ? last.message : null;
}

function warningsOf(observer: LocalObserver, redact: (text: string) => string, above: LogFields = {}): Logger {
  const warn = (fields: LogFields, message: string): void => {
    const all = Object.entries({ ...above, ...fields }).map(([key, value]) => [key, redact(textOf(value))] as const);
    observer.warned(Object.fromEntries(all), redact(message));
  };
  return {
    debug: () => undefined,
    info: () => undefined,
    warn,
    error: warn,
    with: (fields) => warningsOf(observer, redact, { ...above, ...fields }),
  };
}

const textOf = (value: unknown): string => {
  if (value instanceof Error) return value.message;
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
};
