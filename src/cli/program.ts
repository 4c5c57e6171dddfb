import { Command, CommanderError } from "commander";
import { type ExitCode, exitCodes } from "../base/index.ts";
import { type AddCommands, commandModules } from "./command-modules.ts";
import { reportFault, type Terminal } from "./terminal.ts";
import { versionText } from "./version.ts";

/** What a command may use of its process. */
export interface CliContext {
  readonly terminal: Terminal;
  /** Sets the exit code; the last word counts. */
  exit(code: ExitCode): void;
}

/** Runs one command line; answers the exit code (DESIGN.md section 2). */
export async function runProgram(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok;
  const context: CliContext = { terminal, exit: (wanted) => (code = wanted) };
  const program = buildProgram(context, await Promise.all(modulesFor(argv[0]).map(({ load }) => load())));
  try {
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    return reportFault(terminal, error);
  }
}

/** All of them where the first word names none: help lists every command, and a slip of the pen gets its nearest. */
function modulesFor(word: string | undefined): typeof commandModules {
  if (word === "--version" || word === "-V") return [];
  const named = commandModules.filter(({ names }) => word !== undefined && names.includes(word));
  return named.length === 0 ? commandModules : named;
}

function buildProgram(context: CliContext, modules: readonly AddCommands[]): Command {
  const program = new Command("orrery")
    .description("GitOps reconciler and multi-tenant DAG orchestrator with signed run records")
    .version(versionText())
    // After a command the options are its own: `plugin init` has a --version, too.
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError("(see --help)");
  for (const addCommands of modules) addCommands(program, context);
  for (const command of program.commands) command.exitOverride();
  return program;
}
