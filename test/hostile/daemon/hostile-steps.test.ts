import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Daemon, type DaemonEvent, startDaemon } from "../../../src/daemon/index.ts";
import type { RunRecord } from "../../../src/record/index.ts";
import { createLogger, createRedact } from "../../../src/telemetry/index.ts";
import { isConfinable } from "../../support/confinable.ts";
import { descendantsOf } from "../../support/daemon-process.ts";
import { rounds, soakTimeout } from "../../support/effort.ts";
import { type DaemonPlace, makeDaemonPlace } from "../../support/killed-daemon.ts";
import { dagPath, dagText, type FileChanges, logStep, tenantFiles } from "../../support/spec-commits.ts";

/** A step that attacks, and how its run must end on record. */
interface Attack {
  readonly name: string;
  /** One expression: a function (input, ctx) => output. */
  readonly code: string;
  /** Runs as a plugin of the tenant with Node's own built-ins, in a fresh host. */
  readonly builtins?: readonly string[];
  readonly limits?: Readonly<Record<string, string>>;
  /** Several where the kernel decides which wall is first. */
  readonly ends: readonly string[];
}

const brief = { timeout: "1s" };
const attacks: readonly Attack[] = [
  {
    ...{ name: "opens a socket", builtins: ["net"], ends: ["permanent/STEP_FAILED"] },
    code: `() => new Promise((done, fail) => { const s = require("net").connect(80, "127.0.0.1"); s.once("error", fail); s.once("connect", () => done({})); })`,
  },
  {
    ...{ name: "reads /etc/passwd", builtins: ["fs"], ends: ["permanent/STEP_FAILED"] },
    code: `() => ({ text: require("fs").readFileSync("/etc/passwd", "utf8") })`,
  },
  {
    ...{ name: "starts a process", builtins: ["child_process"], ends: ["permanent/STEP_FAILED"] },
    code: `() => ({ text: require("child_process").execFileSync("/bin/true").toString() })`,
  },
  {
    ...{ name: "allocates Buffers without end", builtins: ["buffer"] },
    ends: ["resource/STEP_OUT_OF_MEMORY"],
    code: `() => { const all = []; for (;;) all.push(Buffer.alloc(16 << 20, 1)); }`,
  },
  {
    ...{ name: "loops for ever", limits: brief, ends: ["timeout/STEP_TIMEOUT"] },
    code: `() => { for (;;); }`,
  },
  {
    ...{ name: "floods stdout", builtins: ["fs"], ends: ["resource/STEP_FLOOD"] },
    code: `() => { for (;;) { try { require("fs").writeSync(1, "x".repeat(65536)); } catch {} } }`,
  },
  {
    ...{ name: "floods the log", ends: ["resource/STEP_FLOOD"] },
    code: `(_, ctx) => { for (;;) ctx.log("info", "x".repeat(4096)); }`,
  },
  {
    ...{ name: "returns U+0000", ends: ["permanent/ERR_OUTPUT_NOT_IJSON"] },
    code: `() => ({ text: "a\\u0000b" })`,
  },
  {
    ...{ name: "calls process.exit", builtins: ["fs"], ends: ["permanent/STEP_EXIT"] },
    code: `() => process.exit(0)`,
  },
];

const idOf = ({ name }: Attack): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/gu, "-");

/** A tenant's own plugin: `code` is its run. */
function pluginFiles(attack: Attack): FileChanges {
  if (attack.builtins === undefined) return {};
  const dir = `tenants/evil/plugins/evil.${idOf(attack)}/1.0.0`;
  const text = `var plugin = { default: { run: ${attack.code} } };\n`;
  const sha256 = createHash("sha256").update(text).digest("hex");
  return {
    [`${dir}/plugin.js`]: text,
    [`${dir}/plugin.yaml`]: `apiVersion: orrery/v1\nkind: Plugin\nspec: ${JSON.stringify({
      ...{ service: "evil", emits: "raw", sha256, effects: "none", isolation: "host" },
      ...{
        needs: { builtins: attack.builtins.map((name) => `node:${name}`) },
        input: { type: "object" },
        output: { type: "object" },
      },
    })}\n`,
  };
}

function attackFiles(attack: Attack): FileChanges {
  const uses = attack.builtins === undefined ? { uses: "core.js@1.0.0", code: attack.code } : pluginUse(attack);
  const limits = { memory: "128Mi", cpuTime: "20s", timeout: "20s", ...attack.limits };
  return {
    ...pluginFiles(attack),
    [dagPath("evil", idOf(attack))]: dagText({ steps: { attack: { ...uses, with: {}, limits } } }),
  };
}
const pluginUse = (attack: Attack): Record<string, unknown> => ({
  uses: `evil.${idOf(attack)}@1.0.0`,
  isolation: "host",
});

const files: FileChanges = {
  ...tenantFiles("evil", { plugins: ["evil.*"] }),
  ...tenantFiles("good"),
  ...Object.fromEntries(attacks.flatMap((attack) => Object.entries(attackFiles(attack)))),
  [dagPath("evil", "calm")]: dagText({ steps: { hello: logStep("calm") } }),
  // In one piece lint would hold the DAG: here it comes together while the run goes on.
  [dagPath("good", "hello")]: dagText({
    steps: { a: logStep(), b: logStep("token ${{ 'AGE-SECRET' + '-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQ' }}", { needs: "a" }) },
  }),
};

const secret = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQ";
const confinable = isConfinable();
const reason = confinable === null ? "" : `: skipped, ${confinable}`;

let place: DaemonPlace;
let daemon: Daemon;
const events: DaemonEvent[] = [];
const listeners = new Set<() => void>();
const logLines: string[] = [];

beforeAll(async () => {
  if (confinable !== null) return;
  place = await makeDaemonPlace(files);
  daemon = await startDaemon({
    config: { ...place.config, sandbox: { ...place.config.sandbox, minLevel: "confined" } },
    version: "0.0.0-test",
    log: createLogger({
      level: "debug",
      redact: createRedact(),
      destination: { write: (line) => void logLines.push(line) },
    }),
    emit: (event) => {
      events.push(event);
      for (const listener of [...listeners]) listener();
    },
  });
  await event((each) => each.kind === "pass");
}, 120_000);
afterAll(async () => {
  if (confinable !== null) return;
  await daemon.stop();
  place[Symbol.dispose]();
});

function event(matches: (event: DaemonEvent) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!events.some(matches)) return;
      listeners.delete(look);
      resolve();
    };
    listeners.add(look);
    look();
  });
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function call(tenant: string, path: string, init: RequestInit = {}, header = tenant): Promise<Answer> {
  const headers = {
    ...{ authorization: `Bearer ${await place.token(tenant)}`, "x-stella-tenant": header },
    "content-type": "application/json",
  };
  const response = await fetch(`${daemon.url}/api/v1/orchestrator${path}`, { ...init, headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function run(tenant: string, dagId: string): Promise<string> {
  const { status, body } = await call(tenant, `/dags/${dagId}/runs`, { method: "POST", body: "{}" });
  if (status !== 201) throw new Error(JSON.stringify(body));
  const runId = String(body["runId"]);
  await event((each) => each.kind === "run_settled" && each.runId === runId);
  return runId;
}

async function recordOf(tenant: string, runId: string): Promise<RunRecord> {
  await daemon.seal(new AbortController().signal);
  const record = await daemon.plant.store.ledger.recordOf(tenant, `run/${runId}`);
  return JSON.parse(record?.line ?? "null") as RunRecord;
}

const metric = (text: string, name: string): number =>
  Number(new RegExp(`^${name.replaceAll(/[{}]/gu, "\\$&")} (\\S+)$`, "mu").exec(text)?.[1] ?? "NaN");
const scrape = async (): Promise<string> => (await fetch(`${daemon.metricsUrl}/metrics`)).text();

describe.skipIf(confinable !== null)(`hostile steps through the whole line${reason}`, () => {
  it.each(attacks)(
    "a step that $name ends with its class on record; neighbour, daemon and its tenant go on",
    async (attack) => {
      const [evil, ...good] = await Promise.all([
        run("evil", idOf(attack)),
        ...Array.from({ length: 3 }, () => run("good", "hello")),
      ]);
      const health = await fetch(`${daemon.url}/healthz`);
      const calm = await run("evil", "calm");

      const record = await recordOf("evil", evil);
      const [step] = record.steps ?? [];
      const [attempt] = step?.attempts ?? [];
      expect(attack.ends).toContain(`${String(record.errorClass)}/${String(attempt?.code)}`);
      // A step that ran out of its own time fails its run; the run's time is another.
      expect([record.status, record.code]).toEqual(["failed", attempt?.code]);
      expect(attempt?.outputsHash).toBeNull();
      for (const runId of good) expect((await recordOf("good", runId)).status).toBe("succeeded");
      expect((await recordOf("evil", calm)).status).toBe("succeeded");
      expect([health.status, await health.json()]).toMatchObject([200, { status: "ok" }]);
    },
  );
});

/** Processes below this one, and open files of this one: the daemon runs in it. */
const held = (): { readonly processes: number; readonly files: number } => ({
  processes: descendantsOf(process.pid).length,
  files: readdirSync("/proc/self/fd").length,
});

describe.skipIf(confinable !== null)(`every attack at once, again and again${reason}`, () => {
  it(
    "the neighbour's runs succeed all along, every attack ends with its class, nothing is left behind",
    async () => {
      const turns = rounds(1, 100);
      await run("good", "hello");
      const before = held();
      const over = new AbortController();
      const neighbour = (async (): Promise<readonly string[]> => {
        const runs: string[] = [];
        while (!over.signal.aborted) runs.push(await run("good", "hello"));
        return runs;
      })();
      const ended: (readonly [Attack, string])[] = [];

      for (let turn = 0; turn < turns; turn++) {
        ended.push(
          ...(await Promise.all(attacks.map(async (attack) => [attack, await run("evil", idOf(attack))] as const))),
        );
      }
      over.abort();
      const good = await neighbour;

      for (const [attack, runId] of ended) {
        const record = await recordOf("evil", runId);
        const [attempt] = record.steps?.[0]?.attempts ?? [];
        expect(attack.ends).toContain(`${String(record.errorClass)}/${String(attempt?.code)}`);
      }
      expect(good.length).toBeGreaterThan(turns);
      for (const runId of good) expect((await recordOf("good", runId)).status).toBe("succeeded");
      // A warm host more or less is no leak; a hundred rounds of nine attacks that each leave one would be.
      const after = held();
      expect(after.processes - before.processes).toBeLessThan(8);
      expect(after.files - before.files).toBeLessThan(40);
    },
    soakTimeout(180_000),
  );
});

describe.skipIf(confinable !== null)(`doors of a daemon with two tenants${reason}`, () => {
  it("the three metrics move as runs end, each with its tenant", async () => {
    const series = 'orchestrator_runs_total{tenant="good",status="succeeded"}';
    const before = await scrape();

    await run("good", "hello");

    const after = await scrape();
    const duration = 'orchestrator_run_duration_seconds_count{tenant="good",status="succeeded"}';
    expect(metric(after, series)).toBe(metric(before, series) + 1);
    expect(metric(after, duration)).toBe(metric(before, duration) + 1);
    expect(metric(after, 'orchestrator_queue_depth{tenant="good"}')).toBe(0);
    expect(metric(after, 'orchestrator_runs_total{tenant="evil",status="rejected"}')).toBe(0);
  });

  it("a tenant's token reads no run, record, log or DAG of another, whatever header it sends", async () => {
    const runId = await run("good", "hello");
    await daemon.seal(new AbortController().signal);
    const logsHash = (await recordOf("good", runId)).steps?.[0]?.attempts[0]?.logsHash ?? "0".repeat(64);
    const paths = [`/runs/${runId}`, `/runs/${runId}/record`, `/runs/${runId}/logs/${logsHash}`, "/dags/hello"];

    for (const path of paths) {
      expect([path, (await call("evil", path)).status]).toEqual([path, 404]);
      expect([path, (await call("evil", path, {}, "good")).status]).toEqual([path, 403]);
    }
    const listed = await call("evil", "/runs?limit=200");
    expect((listed.body["items"] as { tenant: string }[]).every(({ tenant }) => tenant === "evil")).toBe(true);
    const cancel = await call("evil", `/runs/${runId}:cancel`, { method: "POST", body: "{}" });
    expect(cancel.status).toBe(404);
  });

  it("every line about a run carries tenant, dagId, runId and status, and no line a secret's shape", async () => {
    const runId = await run("good", "hello");

    const lines = logLines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const ended = lines.filter((line) => line["runId"] === runId && line["status"] !== undefined);
    expect(ended.length).toBeGreaterThan(0);
    for (const line of ended) expect(line).toMatchObject({ tenant: "good", dagId: "hello", runId });
    expect(ended.map((line) => line["status"])).toContain("succeeded");
    const attempts = await daemon.plant.store.ledger.attempts("good", runId);
    const logs = await Promise.all(
      attempts.map(async ({ logsHash }) =>
        logsHash === null
          ? ""
          : JSON.stringify(await call("good", `/runs/${runId}`)) + (await logText(runId, logsHash)),
      ),
    );
    expect(logs.join("")).toContain("[redacted]");
    expect([...logLines, ...logs].filter((line) => line.includes(secret))).toEqual([]);
  });
});

async function logText(runId: string, logsHash: string): Promise<string> {
  const response = await fetch(`${daemon.url}/api/v1/orchestrator/runs/${runId}/logs/${logsHash}`, {
    headers: { authorization: `Bearer ${await place.token("good")}`, "x-stella-tenant": "good" },
  });
  return response.text();
}
