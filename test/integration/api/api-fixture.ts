import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiDeps, createApiServer, createMetricsServer } from "../../../src/api/index.ts";
import { type ApiKey, apiPrefix, createTokenVerifier, issueToken, openApiKey } from "../../../src/identity/index.ts";
import type { CancelRequest, StartAnswer, StartRequest } from "../../../src/scheduler/index.ts";
import type { AttemptView, DagView, RunView } from "../../../src/store/index.ts";
import { createMetrics, createRedact, type LogFields, type Logger } from "../../../src/telemetry/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";

export const acmeRun = "019b0000-0000-7000-8000-00000000000a";
export const borealisRun = "019b0000-0000-7000-8000-00000000000b";
export const logHash = "a".repeat(64);

const dag = (tenant: string): DagView => ({
  tenant,
  dagId: "hello",
  specHash: "1".repeat(64),
  specText: "{}",
  commit: "2".repeat(40),
  armed: true,
  suspended: false,
  pruned: false,
  schedules: [],
  conditions: [],
  appliedRevision: "2".repeat(40),
});

const run = (tenant: string, runId: string): RunView => ({
  ...{ tenant, runId, runNo: 1, dagId: "hello", state: "succeeded", wait: null, class: null, code: null },
  ...{ specHash: "1".repeat(64), commit: "2".repeat(40), policyRevision: "2".repeat(40) },
  trigger: { kind: "manual", key: "k", schedule: null, slot: null },
  actor: { kind: "user", subject: "ana", key: null },
  queuedUtc: "2026-11-24T00:00:00.000Z",
  startedUtc: "2026-11-24T00:00:00.000Z",
  endedUtc: "2026-11-24T00:00:01.000Z",
  ...{ inputsHash: "3".repeat(64), outputsHash: null, runToken: "4".repeat(64) },
  context: { now: "2026-11-24T00:00:00.000Z", seed: "5".repeat(64) },
});

const attempt = { stepId: "hello", index: 0, attempt: 1, logsHash: logHash } as AttemptView;

export interface Api extends AsyncDisposable {
  readonly url: string;
  readonly metricsUrl: string;
  readonly clock: FakeClock;
  readonly logged: readonly { readonly level: string; readonly fields: LogFields; readonly message: string }[];
  readonly starts: readonly StartRequest[];
  /** What the next start is answered. */
  answer: StartAnswer;
  token(request?: Partial<Parameters<typeof issueToken>[1]>, key?: ApiKey): Promise<string>;
  readonly foreignKey: ApiKey;
  headers(extra?: Readonly<Record<string, string>>): Promise<Record<string, string>>;
  call(path: string, init?: RequestInit): Promise<Response>;
}

/** The real server on a free port over a ledger of two tenants with one DAG and one run each. */
export async function openApi(overrides: Partial<ApiDeps> = {}): Promise<Api> {
  const dir = mkdtempSync(join(tmpdir(), "orrery-api-"));
  const key = await openApiKey(join(dir, "own"), true);
  const foreignKey = await openApiKey(join(dir, "foreign"), true);
  const clock = new FakeClock();
  const logged: { level: string; fields: LogFields; message: string }[] = [];
  const log = recordingLog(logged);
  const starts: StartRequest[] = [];
  const state = { answer: { kind: "admitted", runId: acmeRun, runNo: 1 } as StartAnswer };
  const runs = new Map([
    [acmeRun, run("acme", acmeRun)],
    [borealisRun, run("borealis", borealisRun)],
  ]);
  const own = (tenant: string, runId: string): RunView | null => {
    const found = runs.get(runId);
    return found?.tenant === tenant ? found : null;
  };
  const deps: ApiDeps = {
    ledger: {
      getTenant: (tenant) => Promise.resolve({ tenant, appliedRevision: null, suspended: false, conditions: [] }),
      listDags: (tenant) => Promise.resolve([dag(tenant)]),
      getDag: (tenant, dagId) => Promise.resolve(dagId === "hello" ? dag(tenant) : null),
      listRuns: (tenant) => Promise.resolve([...runs.values()].filter((found) => found.tenant === tenant)),
      getRun: (tenant, runId) => Promise.resolve(own(tenant, runId)),
      attempts: (tenant, runId) => Promise.resolve(own(tenant, runId) === null ? [] : [attempt]),
      events: (tenant, { subject }) =>
        Promise.resolve([
          {
            n: 1,
            type: "condition",
            subject: subject ?? `tenant/${tenant}`,
            at: "2026-11-24T00:00:00.000Z",
            facts: {},
          },
        ]),
      hasLog: (tenant, runId, hash) => Promise.resolve(own(tenant, runId) !== null && hash === logHash),
      queueDepth: () => Promise.resolve(3),
      recordOf: (tenant, recordId) =>
        Promise.resolve(
          own(tenant, recordId.replace("run/", "")) === null ? null : { seq: 7, batch: 2, line: '{"signed":"bytes"}' },
        ),
    },
    breakGlass: {
      list: () => Promise.resolve([]),
      suspend: ({ until, ...rest }) =>
        Promise.resolve({ ...rest, since: until.toISOString(), until: until.toISOString() }),
      resume: () => Promise.resolve(true),
    },
    history: { accept: ({ to }) => Promise.resolve({ from: "0".repeat(40), to }) },
    runs: {
      start: (request) => {
        starts.push(request);
        return Promise.resolve(state.answer);
      },
      cancel: ({ tenant, runId }: CancelRequest) =>
        Promise.resolve(own(tenant, runId) === null ? { kind: "unknown" } : { kind: "finished" }),
    },
    readLog: (_tenant, sha256) => Promise.resolve(sha256 === logHash ? '{"line":1}\n' : null),
    site: () => ({
      ...{ site: "hq", version: "0.0.0", appliedRevision: null, ready: false },
      sandbox: { level: "confined", reason: null, hosts: 4 },
      stalled: null,
      reasons: [{ reason: "Reconciling", message: "the first pass has not ended" }],
    }),
    tenants: () => ["acme", "borealis"],
    verifier: createTokenVerifier(key.jwks, clock),
    metrics: createMetrics(),
    clock,
    log,
    redact: createRedact(),
    ...overrides,
  };
  const listen = { host: "127.0.0.1", port: 0 };
  const server = createApiServer(deps, { listen });
  const metrics = createMetricsServer(deps, { listen });
  await server.start();
  await metrics.start();
  const token: Api["token"] = (request = {}, signer = key) =>
    issueToken(signer, {
      ...{ subject: "ana", tenant: "acme", scopes: ["operate"] },
      nowSeconds: Math.floor(clock.now().getTime() / 1000),
      ttlSeconds: 60,
      ...request,
    });
  return {
    ...{ url: server.url, metricsUrl: metrics.url, clock, logged, starts, token, foreignKey },
    get answer() {
      return state.answer;
    },
    set answer(next) {
      state.answer = next;
    },
    headers: async (extra = {}) => ({
      authorization: `Bearer ${await token()}`,
      "x-stella-tenant": "acme",
      ...extra,
    }),
    call: (path, init) => fetch(`${server.url}${apiPrefix}${path}`, init),
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await metrics.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function recordingLog(lines: { level: string; fields: LogFields; message: string }[]): Logger {
  const at = (level: string) => (fields: LogFields, message: string) => void lines.push({ level, fields, message });
  const log: Logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), with: () => log };
  return log;
}
