import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { verifyBranch } from "../../src/cli/commands/audit.ts";
import { connectDaemon } from "../../src/cli/daemon-client.ts";
import { auditBranch, type DemoLayout, demoLayout, demoSite } from "../../src/cli/demo/demo-layout.ts";
import { makeDemoRepository } from "../../src/cli/demo/demo-repository.ts";
import { DemoWaits } from "../../src/cli/demo/demo-waits.ts";
import { stockGit } from "../../src/cli/stock-git.ts";
import { loadConfig, readEnvironment } from "../../src/config/index.ts";
import { type Daemon, ensureRecorderKey, recorderKeyFileOf, startDaemon } from "../../src/daemon/index.ts";
import { auditSignersText } from "../../src/record/index.ts";
import { silentLog } from "../support/silent-log.ts";
import { median, quantile, type Row, timeMs } from "./measure.ts";

const never = new AbortController().signal;

/** The whole daemon on the example repository, in this process: commit to applied, trigger to first step, verification. */
export async function siteRows(): Promise<readonly Row[]> {
  const layout = demoLayout(mkdtempSync("/tmp/orrery-bench-"));
  const waits = new DemoWaits();
  const daemon = await startSite(layout, waits);
  try {
    await waits.first((event) => (event.kind === "pass" ? event : null), 60_000, never);
    return [
      ...(await appliedRows(layout, waits)),
      ...(await triggerRows(layout, waits)),
      ...(await verifyRows(layout, daemon)),
    ];
  } finally {
    await daemon.stop();
    rmSync(layout.dataDir, { recursive: true, force: true });
  }
}

async function startSite(layout: DemoLayout, waits: DemoWaits): Promise<Daemon> {
  ensureRecorderKey(layout.dataDir, demoSite);
  const line = readFileSync(`${recorderKeyFileOf(layout.dataDir)}.pub`, "utf8")
    .trim()
    .split(" ")
    .slice(0, 2)
    .join(" ");
  writeFileSync(layout.auditSigners, auditSignersText(demoSite, [{ from: 1, key: line }]));
  await makeDemoRepository(layout, line, 7436);
  const flags = {
    data: layout.dataDir,
    repository: layout.repository,
    "site.name": demoSite,
    "http.listen": "127.0.0.1:0",
    "metrics.listen": "127.0.0.1:0",
    "sandbox.minLevel": "process",
  };
  const config = loadConfig({
    flags,
    environment: readEnvironment({ PATH: process.env["PATH"] }),
    cwd: "/",
    isRoot: process.getuid?.() === 0,
  });
  return startDaemon({ config, version: "bench", log: silentLog, emit: waits.emit, recorder: { maxWaitMs: 500 } });
}

const commits = 30;

/** From the rename of the ref file, as git does it, to the applied rows; beside it a process of native git diff-tree. */
async function appliedRows(layout: DemoLayout, waits: DemoWaits): Promise<readonly Row[]> {
  const file = path.join(layout.work, "tenants", "acme", "dags", "hello.yaml");
  const text = readFileSync(file, "utf8");
  const ours: number[] = [];
  const native: number[] = [];
  for (let i = 0; i < commits; i++) {
    const before = head(layout);
    writeFileSync(file, text.replace("hello from", `hello number ${i} from`));
    stockGit({ cwd: layout.work, args: ["commit", "--quiet", "--all", "--message", `Greeting ${i}`] });
    stockGit({ cwd: layout.work, args: ["push", "--quiet", "--force", "origin", "main:refs/heads/next"] });
    const next = head(layout);
    ours.push(
      await timeMs(async () => {
        moveRef(layout.repository, next);
        await waits.first(
          (event) =>
            event.kind === "pass" && event.result.revision === next && event.result.applied.length > 0 ? event : null,
          30_000,
          never,
        );
      }),
    );
    native.push(
      await timeMs(() =>
        Promise.resolve(stockGit({ cwd: layout.repository, args: ["diff-tree", "-r", "--name-only", before, next] })),
      ),
    );
  }
  const note = `${commits} commits of one DAG each; ours: watch, trust, read, decode, plan, apply with fsync`;
  return [
    {
      what: "commit to applied, p50",
      ours: median(ours),
      unit: "ms",
      beside: { name: "git diff-tree process", value: median(native) },
      note,
    },
    {
      what: "commit to applied, p95",
      ours: quantile(ours, 0.95),
      unit: "ms",
      beside: { name: "git diff-tree process", value: quantile(native, 0.95) },
      note: "goal of issue 10: under 500 ms",
    },
  ];
}

const head = ({ work }: DemoLayout): string => stockGit({ cwd: work, args: ["rev-parse", "HEAD"] }).trim();

function moveRef(repository: string, oid: string): void {
  const ref = path.join(repository, "refs", "heads", "main");
  writeFileSync(`${ref}.lock`, `${oid}\n`, { flag: "wx" });
  renameSync(`${ref}.lock`, ref);
}

/** POST to the end of a one-step run; the first of a plugin binds a host. */
async function triggerRows(layout: DemoLayout, waits: DemoWaits): Promise<readonly Row[]> {
  const client = await connectDaemon({ dataDir: layout.dataDir, tenant: "acme", subject: "bench", scope: "operate" });
  const once = async (): Promise<readonly [number, number]> => {
    const began = performance.now();
    const { runId } = (await client.post("/dags/hello/runs", {})) as { readonly runId: string };
    const of = (kind: "run_started" | "run_settled") =>
      waits.first(
        (event) => (event.kind === kind && event.runId === runId ? performance.now() - began : null),
        30_000,
        never,
      );
    await of("run_started");
    const startedMs = performance.now() - began;
    await of("run_settled");
    return [startedMs, performance.now() - began];
  };
  const [coldStart, coldEnd] = await once();
  const warm = [];
  for (let i = 0; i < 30; i++) warm.push(await once());
  return [
    {
      what: "trigger to started, warm",
      ours: median(warm.map(([started]) => started)),
      unit: "ms",
      beside: { name: "first of its plugin", value: coldStart },
      note: "HTTP POST to claimed and walking",
    },
    {
      what: "trigger to settled, one sandboxed step, warm",
      ours: median(warm.map(([, ended]) => ended)),
      unit: "ms",
      beside: { name: "cold key", value: coldEnd },
      note: "2 durable commits and the step",
    },
  ];
}

async function verifyRows(layout: DemoLayout, daemon: Daemon): Promise<readonly Row[]> {
  await daemon.seal(never);
  const { auditRepository } = daemon.plant;
  const tip = auditRepository.readRef(auditBranch);
  if (tip === null) throw new Error("nothing was sealed");
  const signersText = readFileSync(layout.auditSigners, "utf8");
  let records = 0;
  let batches = 0;
  const verify = (): Promise<void> => {
    const report = verifyBranch(auditRepository, tip, { signersText, witness: null, site: demoSite });
    if (!report.ok) throw new Error("the bench's own branch does not verify");
    ({ records, batches } = report);
    return Promise.resolve();
  };
  await verify();
  const oursMs = await timeMs(verify);
  const list = stockGit({ cwd: layout.repository, args: ["rev-list", auditBranch] })
    .trim()
    .split("\n");
  const nativeMs = await timeMs(() => {
    spawnSync("git", ["-c", `gpg.ssh.allowedSignersFile=${layout.auditSigners}`, "verify-commit", ...list], {
      cwd: layout.repository,
      stdio: "ignore",
    });
    return Promise.resolve();
  });
  return [
    {
      what: "records verified",
      ours: (records / oursMs) * 1000,
      unit: "records/s",
      beside: { name: "git verify-commit", value: (records / nativeMs) * 1000 },
      note: `${records} records in ${batches} commits; git checks the signatures alone`,
    },
  ];
}
