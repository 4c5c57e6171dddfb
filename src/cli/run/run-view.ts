import { type ExitCode, exitCodes, Fault, systemClock } from "../../base/index.ts";
import { printable } from "../../plan/index.ts";
import type { AttemptView, RunView } from "../../store/index.ts";
import type { DaemonClient } from "../daemon-client.ts";
import type { OutputFormat } from "../place/target.ts";
import { renderTable, type Terminal } from "../terminal.ts";

/** A run as the API gives it. */
export interface RunDetail extends RunView {
  readonly attempts: readonly AttemptView[];
  readonly record: { readonly seq: number; readonly batch: number } | null;
}

interface WaitOptions {
  readonly terminal: Terminal;
  readonly output: OutputFormat;
  readonly timeoutSeconds: number;
}

const lookMs = 200;

/** Waits for the end of a run and shows it. Exit 0 succeeded, 1 any other end, 4 where it did not end in time. */
export async function waitForRun(
  client: DaemonClient,
  runId: string,
  { terminal, output, timeoutSeconds }: WaitOptions,
): Promise<ExitCode> {
  const untilMs = systemClock.monotonicMs() + timeoutSeconds * 1000;
  const waits = new WaitLines(terminal);
  for (;;) {
    const run = await readRun(client, runId);
    if (isEnded(run)) {
      terminal.print(output === "json" ? JSON.stringify(run) : renderRun(run));
      return run.state === "succeeded" ? exitCodes.ok : exitCodes.findings;
    }
    waits.look(run);
    if (systemClock.monotonicMs() > untilMs) {
      terminal.note(`run ${runId} is still ${run.state}${run.wait === null ? "" : `: ${printable(run.wait.message)}`}`);
      return exitCodes.unavailable;
    }
    await systemClock.sleep(lookMs, new AbortController().signal);
  }
}

/** Says once what a queued run waits for; every run waits for a moment, so only what two looks saw is worth a line. */
class WaitLines {
  readonly #terminal: Terminal;
  #seen: string | null = null;
  #said: string | null = null;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  look({ wait }: Pick<RunView, "wait">): void {
    const reason = wait?.reason ?? null;
    if (wait !== null && reason === this.#seen && reason !== this.#said) {
      this.#terminal.note(`queued: ${wait.reason}: ${printable(wait.message)}`);
      this.#said = reason;
    }
    this.#seen = reason;
  }
}

export async function readRun(client: DaemonClient, runId: string): Promise<RunDetail> {
  return (await client.get(`/runs/${runId}`)) as RunDetail;
}

const isEnded = (run: RunView): boolean => run.endedUtc !== null;

/** What a person wants to know of a run: how it ended, each attempt, and where its record stands. */
export function renderRun(run: RunDetail): string {
  const head = [
    `${run.tenant}/${run.dagId} #${run.runNo}  ${run.state}${run.code === null ? "" : `  ${run.code}`}`,
    ...(run.wait === null ? [] : [`waits for  ${run.wait.reason}: ${printable(run.wait.message)}`]),
    `run        ${run.runId}`,
    `trigger    ${run.trigger.kind} ${run.trigger.key}`,
    `commit     ${run.commit}  spec ${run.specHash.slice(0, 12)}`,
    `times      queued ${run.queuedUtc}  started ${run.startedUtc ?? "-"}  ended ${run.endedUtc ?? "-"}`,
    `record     ${run.endedUtc === null ? "none yet" : run.record === null ? "waits for its batch" : `seq ${run.record.seq} in batch ${run.record.batch}`}`,
  ];
  const rows = run.attempts.map((attempt) => [
    attempt.stepId,
    String(attempt.index),
    String(attempt.attempt),
    attempt.status,
    `${Date.parse(attempt.endedUtc) - Date.parse(attempt.startedUtc)} ms`,
    [attempt.code, attempt.message].filter((part) => part !== null).join(": "),
  ]);
  return rows.length === 0
    ? head.join("\n")
    : [...head, "", renderTable(["step", "index", "attempt", "status", "time", "why"], rows)].join("\n");
}

/** Logs of every attempt of a run, or of one step. */
export async function* readLogs(
  client: DaemonClient,
  run: RunDetail,
  stepId: string | null,
): AsyncIterable<{ readonly attempt: RunDetail["attempts"][number]; readonly text: string }> {
  const attempts = run.attempts.filter((attempt) => stepId === null || attempt.stepId === stepId);
  if (stepId !== null && attempts.length === 0) throw new Fault("NOT_FOUND", `no attempt of step ${stepId} has ended`);
  for (const attempt of attempts) {
    if (attempt.logsHash === null) continue;
    yield { attempt, text: await client.text(`/runs/${run.runId}/logs/${attempt.logsHash}`) };
  }
}
