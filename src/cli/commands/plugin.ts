import type { Command } from "commander";
import { type ExitCode, exitCodes } from "../../base/index.ts";
import { printable } from "../../plan/index.ts";
import { durationText } from "../local/local-lines.ts";
import { type OutputFormat, outputOption } from "../place/target.ts";
import { buildPlugin, staleFiles, writePlugin } from "../plugin/build-plugin.ts";
import { defectOf, readExamples } from "../plugin/example-cases.ts";
import type { PluginInitOptions } from "../plugin/init-plugin.ts";
import { readPluginSource, sourceFolder } from "../plugin/plugin-source.ts";
import type { CliContext } from "../program.ts";
import { jsonText } from "../query/json-text.ts";
import { interactiveStops, untilStopped } from "../stop-signal.ts";
import type { Terminal } from "../terminal.ts";

interface BuildOptions {
  readonly check?: true;
  readonly output: OutputFormat;
}

interface TestOptions {
  readonly allowWeak?: true;
  readonly output: OutputFormat;
}

/** `orrery plugin`: a tenant's own plugin from TypeScript to the bytes that a site reads; needs no daemon. */
export function addPluginCommand(program: Command, context: CliContext): void {
  const { terminal } = context;
  const command = program.command("plugin").description("write, build and try a tenant's own plugin");
  command
    .command("init <tenant/name>")
    .description(`TypeScript source in ${sourceFolder}/<tenant>/<service>.<task>/ of a work tree; never overwrites`)
    .option("--version <x.y.z>", "the first version", "1.0.0")
    .option("--repo <path>", "the work tree (default: here)", ".")
    .addOption(outputOption())
    .exitOverride()
    .action(async (target: string, options: PluginInitOptions) => {
      const { initPlugin } = await import("../plugin/init-plugin.ts");
      initPlugin(target, options, terminal);
    });
  command
    .command("build [path]")
    .description("bundle a source to tenants/<tenant>/plugins/<name>/<version>/, with its digest (default: here)")
    .option("--check", "write nothing; exit 1 where the files do not stand as built")
    .addOption(outputOption())
    .exitOverride()
    .action(async (start: string | undefined, options: BuildOptions) => {
      context.exit(await build(start ?? ".", options, terminal));
    });
  command
    .command("test [path]")
    .description("run the examples of a source in the real sandbox (default: here)")
    .option("--allow-weak", "run at sandbox level process where confined cannot be had: it stops accidents only")
    .addOption(outputOption())
    .exitOverride()
    .action(async (start: string | undefined, options: TestOptions) => {
      context.exit(await test(start ?? ".", options, terminal));
    });
}

async function build(start: string, { check, output }: BuildOptions, terminal: Terminal): Promise<ExitCode> {
  const source = readPluginSource(start);
  const built = await buildPlugin(source);
  const changed = check === true ? staleFiles(built) : writePlugin(built);
  const { sha256 } = built.manifest;
  const bytes = Buffer.byteLength(built.script);
  if (output === "json") {
    terminal.print(jsonText({ folder: built.folder, sha256, bytes, [check === true ? "stale" : "written"]: changed }));
  } else {
    const verb = check === true ? "would write" : "wrote";
    for (const file of changed) terminal.print(`${verb} ${file}`);
    if (changed.length === 0) terminal.print(`${built.folder}/ stands as built`);
    terminal.print(`${source.name}@${source.version}  ${bytes} bytes  sha256 ${sha256}`);
  }
  return check === true && changed.length > 0 ? exitCodes.findings : exitCodes.ok;
}

async function test(start: string, { allowWeak, output }: TestOptions, terminal: Terminal): Promise<ExitCode> {
  const source = readPluginSource(start);
  const examples = readExamples(source);
  using stop = untilStopped(interactiveStops);
  const { benchOf } = await loadBench();
  await using bench = await benchOf(buildPlugin(source), { allowWeak: allowWeak === true });
  for (const line of bench.warnings) terminal.note(line);
  const text = (line: string): void => (output === "json" ? undefined : terminal.print(printable(line)));
  const results = [];
  for (const example of examples) {
    if (stop.signal.aborted) break;
    const answer = await bench.run(example.ask, stop.signal);
    const defect = defectOf(example, answer);
    results.push({ name: example.name, ok: defect === null, defect, ...answer, artifacts: answer.artifacts.length });
    text(`${defect === null ? "ok    " : "FAILED"} ${example.name.padEnd(20)} ${durationText(answer.durationMs)}`);
    for (const { level, message, fields } of answer.logs)
      text(`         ${level} ${message} ${JSON.stringify(fields)}`);
    if (defect !== null) text(`         ${defect}`);
  }
  const failed = examples.length - results.filter(({ ok }) => ok).length;
  if (stop.signal.aborted) terminal.note("stopped");
  if (output === "json") terminal.print(jsonText({ ok: failed === 0, level: bench.level, results }));
  else terminal.print(`${examples.length - failed} of ${examples.length} examples ok, sandbox level ${bench.level}`);
  return failed === 0 ? exitCodes.ok : exitCodes.findings;
}

// It brings the worker and the sandbox along: a build must not wait for these. Apart: within a function that has a `using`,
// tsc leaves `.ts` as it stands.
const loadBench = (): Promise<typeof import("../plugin/task-bench.ts")> => import("../plugin/task-bench.ts");
