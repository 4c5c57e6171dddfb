import type { Command } from "commander";
import {
  clientFor,
  type DaemonOptions,
  dataDirFor,
  parseSeconds,
  tenantOf,
  withDaemonOptions,
} from "../place/target.ts";
import type { CliContext } from "../program.ts";
import { readLogs, readRun, waitForRun } from "../run/run-view.ts";
import { waitForCommit } from "../wait-for-commit.ts";

interface LogLine {
  readonly level?: string;
  readonly message?: string;
  readonly fields?: unknown;
}

/** `orrery logs RUN`, `orrery cancel RUN`, `orrery wait RUN|COMMIT`. */
export function addRunVerbs(program: Command, context: CliContext): void {
  const { terminal } = context;
  withDaemonOptions(program.command("logs").argument("<run>").description("show what the steps of a run logged"))
    .option("--step <step>", "only this step")
    .action(async (runId: string, options: DaemonOptions & { readonly step?: string }) => {
      const client = await clientFor(dataDirFor(options), tenantOf(options));
      const run = await readRun(client, runId);
      for await (const { attempt, text } of readLogs(client, run, options.step ?? null)) {
        const where = `${attempt.stepId}[${attempt.index}]#${attempt.attempt}`;
        for (const line of text.split("\n").filter((raw) => raw !== ""))
          terminal.print(options.output === "json" ? line : `${where}  ${renderLine(line)}`);
      }
    });
  withDaemonOptions(program.command("cancel").argument("<run>").description("end a run"))
    .option("-m, --message <rationale>", "why; the run's record carries it")
    .action(async (runId: string, options: DaemonOptions & { readonly message?: string }) => {
      const client = await clientFor(dataDirFor(options), tenantOf(options));
      const body = options.message === undefined ? {} : { rationale: options.message };
      const { state } = (await client.post(`/runs/${encodeURIComponent(runId)}:cancel`, body)) as {
        readonly state: string;
      };
      terminal.print(`${runId} ${state}`);
    });
  withDaemonOptions(
    program
      .command("wait")
      .argument("<run or commit>")
      .description("wait until a run has ended or a commit is applied"),
  )
    .option("--timeout <seconds>", "how long", parseSeconds, 300)
    .action(async (name: string, options: DaemonOptions & { readonly timeout: number }) => {
      const wait = { terminal, output: options.output, timeoutSeconds: options.timeout };
      if (!isRunId(name)) {
        context.exit(await waitForCommit(dataDirFor(options), name, { ...wait, tenant: options.tenant ?? null }));
        return;
      }
      context.exit(await waitForRun(await clientFor(dataDirFor(options), tenantOf(options)), name, wait));
    });
}

const isRunId = (name: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(name);

function renderLine(line: string): string {
  try {
    const { level = "info", message = "", fields } = JSON.parse(line) as LogLine;
    return `${level.padEnd(5)} ${message}${fields === undefined ? "" : ` ${JSON.stringify(fields)}`}`;
  } catch {
    return line;
  }
}
