import { readFileSync } from "node:fs";
import { type ExitCode, exitCodes, Fault, faultOf, type JsonObject } from "../../base/index.ts";
import type { Daemon } from "../../daemon/index.ts";
import { findingText } from "../../plan/index.ts";
import type { AuditReport } from "../../record/index.ts";
import { verifyBranch } from "../commands/audit.ts";
import { connectDaemon, type DaemonClient } from "../daemon-client.ts";
import { type RunDetail, readRun } from "../run/run-view.ts";
import { stockGit } from "../stock-git.ts";
import type { Terminal } from "../terminal.ts";
import { type AuditCount, countAudit } from "./audit-count.ts";
import { auditBranch, type DemoLayout, demoSite, specRef } from "./demo-layout.ts";
import type { DemoWaits } from "./demo-waits.ts";
import type { NoticeBoard } from "./notice-board.ts";

export interface DemoScene {
  readonly daemon: Daemon;
  readonly waits: DemoWaits;
  readonly layout: DemoLayout;
  readonly board: NoticeBoard;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** What the story has shown; `missing` says in words what did not come. */
export interface DemoVerdict {
  readonly count: AuditCount;
  readonly report: AuditReport;
  readonly missing: readonly string[];
}

const passMs = 60_000;
const runMs = 60_000;

/** Plan, runs, records, proof: each line says what just happened, with its numbers. */
export async function tellStory(scene: DemoScene): Promise<DemoVerdict> {
  const missing: string[] = [];
  await showPlan(scene, missing);
  await showStarts(scene, missing);
  await showScheduled(scene, missing);
  await scene.daemon.seal(scene.signal);
  return showProof(scene, missing);
}

const label = (name: string): string => name.padEnd(11);

async function showPlan({ waits, terminal, signal, daemon }: DemoScene, missing: string[]): Promise<void> {
  const pass = await waits.first(
    (event) =>
      event.kind === "pass" && (event.result.revision !== null || event.result.stalled !== null) ? event.result : null,
    passMs,
    signal,
  );
  if (pass?.revision == null) {
    missing.push(`no revision was applied: ${pass?.stalled?.message ?? "the reconciler said nothing"}`);
    return;
  }
  const views = (await Promise.all(pass.tenants.map((tenant) => daemon.plant.store.ledger.listDags(tenant)))).flat();
  const armed = views.filter((dag) => dag.armed).length;
  terminal.print(
    `${label("applied")}${pass.revision.slice(0, 12)}  ${pass.tenants.length} tenants, ${views.length} DAGs, ${armed} armed; signed by ${pass.newly.at(-1)?.principal ?? "an earlier start"}`,
  );
  // One line a DAG: its first finding says enough here, `orrery describe` says the rest.
  const denied = new Map(
    pass.plan.findings.filter(({ severity }) => severity === "denied").map((finding) => [finding.path, finding]),
  );
  for (const finding of denied.values()) terminal.print(`${label("not armed")}${findingText(finding)}`);
}

interface Start {
  readonly tenant: string;
  readonly dag: string;
  readonly why: string;
  /** The end that it is there to show. */
  readonly expect: string;
}

const starts: readonly Start[] = [
  { tenant: "acme", dag: "hello", why: "Show one run from start to record.", expect: "succeeded" },
  { tenant: "acme", dag: "sbom-export", why: "Hand the auditors this week's export.", expect: "succeeded" },
  {
    tenant: "borealis",
    dag: "derived-field",
    why: "Show what happens to a field that is not ours.",
    expect: "ERR_AOC_FIELD",
  },
  { tenant: "borealis", dag: "phone-home", why: "Show that asking is not granting.", expect: "NOT_ALLOWED" },
];

async function showStarts(scene: DemoScene, missing: string[]): Promise<void> {
  for (const start of starts) {
    const end = await runByHand(scene, start);
    if (end !== start.expect) missing.push(`${start.tenant}/${start.dag} ended ${end}, not ${start.expect}`);
  }
}

/** Through the API, as `orrery run` does; answers the status, or the code where there is one. */
async function runByHand(scene: DemoScene, { tenant, dag, why, expect }: Start): Promise<string> {
  const client = await clientOf(scene, tenant);
  try {
    const body: JsonObject = { rationale: why };
    const { runId } = (await client.post(`/dags/${dag}/runs`, body)) as { readonly runId: string };
    const settled = await scene.waits.first(
      (event) => (event.kind === "run_settled" && event.runId === runId ? event : null),
      runMs,
      scene.signal,
    );
    if (settled === null) return "not in time";
    const run = await readRun(client, runId);
    scene.terminal.print(runLine(run, "by hand", expect));
    return run.code ?? run.state;
  } catch (error) {
    const { code, message } = faultOf(error);
    if (scene.signal.aborted) throw error;
    scene.terminal.print(
      `${label("denied")}${tenant}/${dag}  by hand  ${code}${code === expect ? "  (as it should)" : ""}: ${message}`,
    );
    return code;
  }
}

const scheduled: readonly { readonly tenant: string; readonly dag: string }[] = [
  { tenant: "acme", dag: "vex-watch" },
  { tenant: "borealis", dag: "pulse" },
];

async function showScheduled(scene: DemoScene, missing: string[]): Promise<void> {
  for (const { tenant, dag } of scheduled) {
    const settled = await scene.waits.first(
      (event) => (event.kind === "run_settled" && event.tenant === tenant && event.dagId === dag ? event : null),
      runMs,
      scene.signal,
    );
    if (settled === null) {
      missing.push(`${tenant}/${dag} did not run by its schedule within ${runMs / 1000} s`);
      continue;
    }
    const run = await readRun(await clientOf(scene, tenant), settled.runId);
    scene.terminal.print(runLine(run, "by schedule", "succeeded"));
    if (run.state !== "succeeded") missing.push(`${tenant}/${dag} ended ${run.code ?? run.state}`);
  }
  const [notice] = scene.board.notices;
  if (notice === undefined) missing.push("no notice was delivered");
  else
    scene.terminal.print(
      `${label("notice")}${noticeSummary(notice.body)}  (key ${notice.idempotencyKey.slice(0, 12)})`,
    );
}

function runLine(run: RunDetail, how: string, expect: string): string {
  const seconds = ((Date.parse(run.endedUtc ?? "") - Date.parse(run.startedUtc ?? "")) / 1000).toFixed(1);
  const retried = run.attempts.filter(({ attempt }) => attempt > 1).map(({ stepId }) => stepId);
  const notes = [
    ...(retried.length === 0 ? [] : [`${retried.join(", ")} on its second attempt`]),
    ...(run.code !== null && run.code === expect ? ["as it should"] : []),
  ];
  const steps = new Set(run.attempts.map(({ stepId }) => stepId)).size;
  const end = run.code === null ? run.state : `${run.state} ${run.code}`;
  return `${label("run")}${`${run.tenant}/${run.dagId} #${run.runNo}`.padEnd(26)} ${how.padEnd(11)} ${end}  ${counted(steps, "step")}, ${counted(run.attempts.length, "attempt")}, ${seconds} s${notes.length === 0 ? "" : `  (${notes.join("; ")})`}`;
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

function noticeSummary(body: string): string {
  const { summary } = JSON.parse(body) as { readonly summary?: string };
  return summary ?? body;
}

const clientOf = ({ layout }: DemoScene, tenant: string): Promise<DaemonClient> =>
  connectDaemon({ dataDir: layout.dataDir, tenant, subject: "demo@cli", scope: "operate" });

function showProof({ daemon, layout, terminal }: DemoScene, missing: string[]): DemoVerdict {
  const { auditRepository } = daemon.plant;
  const head = auditRepository.readRef(auditBranch);
  if (head === null) throw new Fault("AUDIT_NONE", "nothing was sealed");
  const count = countAudit(auditRepository, head);
  const report = verifyBranch(auditRepository, head, {
    signersText: readFileSync(layout.auditSigners, "utf8"),
    witness: null,
    site: demoSite,
  });
  terminal.print(`${label("recorded")}${count.records} records in ${report.batches} signed commits on ${auditBranch}`);
  const args = [
    "-c",
    `gpg.ssh.allowedSignersFile=${layout.auditSigners}`,
    "log",
    "-1",
    "--show-signature",
    "--format=%h %s",
    auditBranch,
  ];
  const said = stockGit({ cwd: layout.repository, args }).trim().split("\n");
  terminal.print(
    `$ git -C ${layout.repository} ${args.map((arg) => (arg.includes(" ") ? `'${arg}'` : arg)).join(" ")}`,
  );
  for (const line of said) terminal.print(`  ${line}`);
  if (!said.some((line) => line.startsWith('Good "git" signature for audit@')))
    missing.push("stock git did not say Good");
  terminal.print(`$ npx orrery audit verify --repo ${layout.repository} --signers ${layout.auditSigners}`);
  terminal.print(
    `  ${report.ok ? "OK" : "BAD"}: ${report.records} records, ${report.tenants.length} chains, root ${report.head?.root.slice(0, 16) ?? ""}…`,
  );
  for (const sentence of report.notProven) terminal.print(`  not proven: ${sentence}`);
  if (!report.ok) missing.push("orrery audit verify found tampering");
  return { count, report, missing: [...missing, ...missingOf(count)] };
}

function missingOf({ runs, denied, runRecords }: AuditCount): readonly string[] {
  const bySchedule = runRecords.filter(
    ({ trigger, status }) => trigger.kind === "schedule" && status === "succeeded",
  ).length;
  return [
    ...(bySchedule < 2 ? [`only ${bySchedule} scheduled runs are on record as succeeded`] : []),
    ...(runs.failed < 1 ? ["the failed run is not on record"] : []),
    ...(denied < 1 ? ["the denial is not on record"] : []),
  ];
}

/** The last line of `--exit`: what a script reads. */
export function verdictLine(
  { daemon, layout }: DemoScene,
  { count, report, missing }: DemoVerdict,
  seconds: number,
): string {
  return JSON.stringify({
    ok: missing.length === 0,
    site: demoSite,
    repository: layout.repository,
    specRef,
    auditBranch,
    auditSigners: layout.auditSigners,
    dataDir: layout.dataDir,
    level: daemon.plant.hosts.level,
    runs: count.runs,
    denied: count.denied,
    records: count.records,
    verified: report.ok,
    seconds: Math.round(seconds * 10) / 10,
    ...(missing.length === 0 ? {} : { missing }),
  });
}

export const verdictExit = ({ missing }: DemoVerdict): ExitCode =>
  missing.length === 0 ? exitCodes.ok : exitCodes.findings;
