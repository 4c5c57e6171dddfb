import { createHash } from "node:crypto";
import { type Clock, canonicalText, utcText } from "../../src/base/index.ts";
import type { TenantChange } from "../../src/plan/index.ts";
import type { Quota, TenantSnapshot } from "../../src/spec/index.ts";
import type {
  AdmissionRequest,
  AttemptOutcome,
  ClaimedRun,
  DagWrite,
  QueuedRunBody,
  Settlement,
  Store,
} from "../../src/store/index.ts";

export const sha = (text: string): string => createHash("sha256").update(text).digest("hex");
export const commitOf = (n: number | string): string => createHash("sha1").update(String(n)).digest("hex");

export const quotaOf = (runs: Partial<Quota["runs"]> = {}, weight = 1): Quota => ({
  weight,
  runs: { maxConcurrent: 4, maxQueued: 100, startsPerHour: null, ...runs },
  steps: { maxConcurrent: 4 },
  perStep: { memoryBytes: 2 ** 28, cpuTimeMs: 60_000, timeoutMs: 600_000, scratchBytes: 2 ** 26, outputBytes: 2 ** 20 },
  perDay: { cpuTimeMs: null, artifactBytes: null },
  minIntervalMs: 60_000,
  overrides: [],
});

export const snapshotOf = (revision: string, quota: Quota): TenantSnapshot => ({
  revision,
  quota,
  allowlist: { plugins: [], endpoints: [], secrets: [] },
  plugins: {},
  files: [],
  secrets: [],
});

export interface DagFixture {
  readonly dagId: string;
  readonly version?: number;
  readonly from?: string | null;
  readonly armed?: boolean;
  readonly suspended?: boolean;
  readonly max?: number;
  readonly overlap?: "queue" | "skip" | "latest";
  readonly schedules?: readonly {
    readonly schedule: string;
    /** Default: what stands already, if the DAG does. */
    readonly from?: string | null;
    readonly watermark: string;
    readonly nextDue: string | null;
  }[];
}

export const specHashOf = (dagId: string, version = 1): string => sha(specTextOf(dagId, version));
const firstCommits = Array.from({ length: 100 }, (_, n) => commitOf(n));

const specTextOf = (dagId: string, version: number): string =>
  canonicalText({ apiVersion: "orrery/v1", kind: "Dag", spec: { rationale: `${dagId} v${String(version)}` } });

export function dagWrite(dag: DagFixture): DagWrite {
  const version = dag.version ?? 1;
  const from = dag.from ?? null;
  return {
    kind: from === null ? "create" : "update",
    dagId: dag.dagId,
    from,
    specHash: specHashOf(dag.dagId, version),
    specText: specTextOf(dag.dagId, version),
    armed: dag.armed ?? true,
    suspended: dag.suspended ?? false,
    concurrencyMax: dag.max ?? 1000,
    overlap: dag.overlap ?? "queue",
    schedules: (dag.schedules ?? []).map(({ from: seen, ...schedule }) => ({
      ...schedule,
      from: seen === undefined ? (from === null ? null : schedule.watermark) : seen,
    })),
  };
}

export interface TenantFixture {
  readonly tenant: string;
  readonly dags?: readonly DagWrite[];
  readonly quota?: Quota;
  readonly from?: string | null;
  /** Default: n of `commitOf(n)`, for the n-th apply leads there. */
  readonly generation?: number;
  readonly to?: string;
  readonly suspended?: boolean;
  readonly now?: string;
}

export function tenantChange(fixture: TenantFixture): TenantChange {
  const quota = fixture.quota ?? quotaOf();
  const to = fixture.to ?? commitOf(1);
  return {
    tenant: fixture.tenant,
    from: fixture.from ?? null,
    generation: fixture.generation ?? Math.max(0, firstCommits.indexOf(fixture.from ?? "")),
    to,
    fingerprint: `trees of ${to}`,
    suspended: fixture.suspended ?? false,
    quota,
    snapshot: snapshotOf(to, quota),
    pins: [],
    blobs: [],
    dags: fixture.dags ?? [dagWrite({ dagId: "hello" })],
    conditions: [],
    record: null,
    events: [],
    now: fixture.now ?? "2026-11-24T00:00:00.000Z",
  };
}

export const cancelledBody: QueuedRunBody = (run) => ({
  recordId: `run/${run.runId}`,
  bodyText: canonicalText({ recordId: `run/${run.runId}`, status: "cancelled" }),
  outputsHash: sha("{}"),
});

/** A UUIDv7 of an instant; its other bits come from `token`, as in the product. */
export function runIdOf(now: Date, token: string): string {
  const hex = now.getTime().toString(16).padStart(12, "0") + "7" + token.slice(0, 3) + "8" + token.slice(3, 18);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}

export interface RequestFixture {
  readonly tenant: string;
  readonly dagId?: string;
  readonly key: string;
  readonly inputs?: string;
  readonly specHash?: string | null;
  readonly instant?: string;
  readonly subject?: string;
}

/** A manual start. */
export function manualRequest(clock: Pick<Clock, "now">, fixture: RequestFixture): AdmissionRequest {
  const dagId = fixture.dagId ?? "hello";
  const now = utcText(clock.now());
  const token = sha(`${fixture.tenant}/${dagId}/manual/${fixture.key}`);
  const subject = fixture.subject ?? "ana";
  return {
    tenant: fixture.tenant,
    dagId,
    trigger: { kind: "manual", key: fixture.key, schedule: null, slot: null },
    specHash: fixture.specHash ?? null,
    inputsText: fixture.inputs ?? "{}",
    inputsHash: sha(fixture.inputs ?? "{}"),
    runId: runIdOf(clock.now(), token),
    runToken: token,
    context: { now, seed: sha("seed") },
    actor: { kind: "user", subject, key: null },
    rationale: [{ source: "trigger", text: "because" }],
    traceId: token.slice(0, 32),
    now,
    instant: fixture.instant ?? now,
    closed: false,
    claim: null,
    denial: (code, which) => ({
      recordId: `denial/${now.slice(0, 16)}/${dagId}/${code}/${subject}/${String(which)}`,
      bodyText: canonicalText({ code, which, kind: "denial" }),
    }),
    superseded: cancelledBody,
  };
}

export interface SlotFixture {
  readonly tenant: string;
  readonly dagId?: string;
  readonly schedule?: string;
  readonly from: string;
  readonly to: string;
  readonly nextDue: string | null;
  readonly skips?: NonNullable<AdmissionRequest["claim"]>["skips"];
  readonly runs?: boolean;
  readonly version?: number;
}

/** The start of one slot, `to`. */
export function slotRequest(clock: Pick<Clock, "now">, fixture: SlotFixture): AdmissionRequest {
  const dagId = fixture.dagId ?? "hello";
  const schedule = fixture.schedule ?? "default";
  const base = manualRequest(clock, { tenant: fixture.tenant, dagId, key: `${schedule}@${fixture.to}` });
  const token = sha(`${fixture.tenant}/${dagId}/schedule/${schedule}@${fixture.to}`);
  return {
    ...base,
    trigger: { kind: "schedule", key: `${schedule}@${fixture.to}`, schedule, slot: fixture.to },
    specHash: specHashOf(dagId, fixture.version ?? 1),
    runId: runIdOf(clock.now(), token),
    runToken: token,
    actor: { kind: "schedule", subject: `${dagId}/${schedule}`, key: null },
    instant: fixture.to,
    denial: null,
    claim: {
      from: new Date(fixture.from),
      to: new Date(fixture.to),
      nextDue: fixture.nextDue === null ? null : new Date(fixture.nextDue),
      skips: fixture.skips ?? [],
      runs: fixture.runs ?? true,
    },
  };
}

export function outcomeOf(run: ClaimedRun, stepId: string, rest: Partial<AttemptOutcome> = {}): AttemptOutcome {
  return {
    tenant: run.tenant,
    runId: run.runId,
    fence: run.fence,
    stepId,
    index: 0,
    attempt: 1,
    status: "succeeded",
    class: null,
    code: null,
    message: null,
    startedUtc: run.startedUtc,
    endedUtc: run.startedUtc,
    stepHash: sha(`step ${stepId}`),
    stepKey: sha(`${run.runId}/${stepId}`),
    inputsHash: sha("{}"),
    outputsHash: sha('{"ok":true}'),
    outputText: '{"ok":true}',
    egress: [],
    logsHash: null,
    artifacts: [],
    ...rest,
  };
}

export function settlementOf(run: ClaimedRun, rest: Partial<Settlement> = {}): Settlement {
  return {
    tenant: run.tenant,
    runId: run.runId,
    fence: run.fence,
    status: "succeeded",
    class: null,
    code: null,
    endedUtc: run.startedUtc,
    outputsHash: sha("{}"),
    recordId: `run/${run.runId}`,
    bodyText: canonicalText({ recordId: `run/${run.runId}`, status: "succeeded" }),
    ...rest,
  };
}

export const applyTenant = (store: Store, fixture: TenantFixture): Promise<void> =>
  store.revision.applyTenant(tenantChange(fixture), cancelledBody);

/** Applies a tenant with its hello DAG and admits manual runs `keys`. */
export async function admitRuns(
  store: Store,
  clock: Pick<Clock, "now">,
  tenant: string,
  keys: readonly string[],
): Promise<readonly string[]> {
  const answers = await store.admission.admit(keys.map((key) => manualRequest(clock, { tenant, key })));
  return answers.map((answer) => {
    if (answer.kind !== "admitted") throw new Error(`not admitted: ${JSON.stringify(answer)}`);
    return answer.runId;
  });
}
