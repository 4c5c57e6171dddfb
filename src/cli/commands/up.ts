import path from "node:path";
import type { Command } from "commander";
import { type ExitCode, exitCodes, systemClock } from "../../base/index.ts";
import { type ConfigKey, loadConfig, readEnvironment } from "../../config/index.ts";
import { startDaemon } from "../../daemon/index.ts";
import { createLentSecrets } from "../../secret/index.ts";
import { createLogger, createRedact } from "../../telemetry/index.ts";
import { runDemo } from "../demo/run-demo.ts";
import type { CliContext } from "../program.ts";
import { untilStopped } from "../stop-signal.ts";
import type { Terminal } from "../terminal.ts";
import { versionText } from "../version.ts";

interface UpOptions {
  readonly repo?: string;
  readonly data?: string;
  readonly site?: string;
  readonly listen?: string;
  readonly metricsListen?: string;
  readonly demo?: boolean;
  readonly exit?: boolean;
}

/** `orrery up`: the daemon in the foreground; JSON lines on stderr. */
export function addUpCommand(program: Command, context: CliContext): void {
  program
    .command("up")
    .description("run the daemon with all its roles")
    .option("--repo <dir>", "the spec repository")
    .option("--data <dir>", "data directory (its config.yaml holds the rest)")
    .option("--site <name>", "name of this site")
    .option("--listen <host:port>", "address of the API")
    .option("--metrics-listen <host:port>", "address of /metrics")
    .option("--demo", "make and run the example in ./.orrery")
    .option("--exit", "with --demo: stop after the story, last line is JSON")
    .action(async (options: UpOptions) => {
      context.exit(options.demo === true ? await demo(options, context.terminal) : await up(options));
    });
}

function demo({ data, exit }: UpOptions, terminal: Terminal): Promise<ExitCode> {
  return runDemo({ dataDir: path.resolve(data ?? ".orrery"), exit: exit === true }, terminal);
}

async function up(options: UpOptions): Promise<ExitCode> {
  const flags: Partial<Record<ConfigKey, string>> = {};
  const named: readonly (readonly [ConfigKey, string | undefined])[] = [
    ["repository", options.repo],
    ["data", options.data],
    ["site.name", options.site],
    ["http.listen", options.listen],
    ["metrics.listen", options.metricsListen],
  ];
  for (const [key, value] of named) if (value !== undefined) flags[key] = value;
  const config = loadConfig({
    flags,
    environment: readEnvironment(),
    cwd: process.cwd(),
    isRoot: process.getuid?.() === 0,
  });
  const lent = createLentSecrets(() => systemClock.monotonicMs());
  const log = createLogger({ level: "info", redact: createRedact(lent.literals), destination: process.stderr });
  using stop = untilStopped();
  const daemon = await startDaemon({ config, version: versionText(), log, lent, emit: () => undefined });
  await stop.stopped;
  log.info({ site: config.site }, "stopping");
  await daemon.stop();
  return exitCodes.ok;
}
