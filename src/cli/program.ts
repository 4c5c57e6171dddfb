import { Command, CommanderError } from "commander";
import { type ExitCode, exitCodes } from "../base/index.ts";
import { addAuditCommand } from "./commands/audit.ts";
import { addDemoCommand } from "./commands/demo.ts";
import { addDoctorCommand } from "./commands/doctor.ts";
import { addExplainCommand } from "./commands/explain.ts";
import { addGetCommands } from "./commands/get.ts";
import { addInitCommand } from "./commands/init.ts";
import { addRunVerbs } from "./commands/logs.ts";
import { addRepositoryCommands } from "./commands/repository.ts";
import { addRunCommand } from "./commands/run.ts";
import { addServiceCommand } from "./commands/service.ts";
import { addUpCommand } from "./commands/up.ts";
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
  const program = buildProgram(context);
  try {
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    return reportFault(terminal, error);
  }
}

function buildProgram(context: CliContext): Command {
  const program = new Command("orrery")
    .description("GitOps reconciler and multi-tenant DAG orchestrator with signed run records")
    .version(versionText())
    .exitOverride()
    .showHelpAfterError("(see --help)");
  addUpCommand(program, context);
  addInitCommand(program, context);
  addDoctorCommand(program, context);
  addServiceCommand(program, context);
  addRepositoryCommands(program, context);
  addRunCommand(program, context);
  addGetCommands(program, context);
  addRunVerbs(program, context);
  addAuditCommand(program, context);
  addExplainCommand(program, context);
  addDemoCommand(program, context);
  for (const command of program.commands) command.exitOverride();
  return program;
}
