import type { Command } from "commander";
import type { CliContext } from "./program.ts";

export type AddCommands = (program: Command, context: CliContext) => void;

interface CommandModule {
  /** First words of the command lines that need this module. */
  readonly names: readonly string[];
  readonly load: () => Promise<AddCommands>;
}

/**
 * Every command, in the order of `--help`. One module is imported for one command line: `get` must not wait until the
 * whole daemon is loaded.
 */
export const commandModules: readonly CommandModule[] = [
  { names: ["up"], load: async () => (await import("./commands/up.ts")).addUpCommand },
  { names: ["init"], load: async () => (await import("./commands/init.ts")).addInitCommand },
  { names: ["new"], load: async () => (await import("./commands/new.ts")).addNewCommand },
  { names: ["doctor"], load: async () => (await import("./commands/doctor.ts")).addDoctorCommand },
  { names: ["service"], load: async () => (await import("./commands/service.ts")).addServiceCommand },
  { names: ["lint"], load: async () => (await import("./commands/lint.ts")).addLintCommand },
  { names: ["fmt"], load: async () => (await import("./commands/fmt.ts")).addFmtCommand },
  { names: ["hook"], load: async () => (await import("./commands/hook.ts")).addHookCommand },
  { names: ["plan"], load: async () => (await import("./commands/plan.ts")).addPlanCommand },
  { names: ["simulate"], load: async () => (await import("./commands/simulate.ts")).addSimulateCommand },
  { names: ["approve"], load: async () => (await import("./commands/approve.ts")).addApproveCommand },
  { names: ["trust"], load: async () => (await import("./commands/trust.ts")).addTrustCommand },
  {
    names: ["accept-history"],
    load: async () => (await import("./commands/accept-history.ts")).addAcceptHistoryCommand,
  },
  { names: ["schedule"], load: async () => (await import("./commands/schedule.ts")).addScheduleCommand },
  { names: ["where"], load: async () => (await import("./commands/where.ts")).addWhereCommand },
  { names: ["grants"], load: async () => (await import("./commands/grants.ts")).addGrantsCommand },
  { names: ["secret"], load: async () => (await import("./commands/secret.ts")).addSecretCommand },
  { names: ["run"], load: async () => (await import("./commands/run.ts")).addRunCommand },
  { names: ["plugin"], load: async () => (await import("./commands/plugin.ts")).addPluginCommand },
  { names: ["get", "describe"], load: async () => (await import("./commands/get.ts")).addGetCommands },
  { names: ["logs", "cancel", "wait"], load: async () => (await import("./commands/logs.ts")).addRunVerbs },
  { names: ["suspend", "resume"], load: async () => (await import("./commands/suspend.ts")).addSuspendCommands },
  { names: ["audit"], load: async () => (await import("./commands/audit.ts")).addAuditCommand },
  { names: ["explain"], load: async () => (await import("./commands/explain.ts")).addExplainCommand },
  { names: ["demo"], load: async () => (await import("./commands/demo.ts")).addDemoCommand },
];
