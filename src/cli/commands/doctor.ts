import type { Command } from "commander";
import { exitCodes, Fault, systemClock } from "../../base/index.ts";
import { type Config, loadConfig, readEnvironment } from "../../config/index.ts";
import { fail, fine, type HealthCheck, renderCheck, warn } from "../doctor/health-check.ts";
import { sandboxChecks } from "../doctor/sandbox-checks.ts";
import { clockCheck, daemonChecks, diskCheck, repositoryChecks } from "../doctor/site-checks.ts";
import { toolChecks } from "../doctor/tool-checks.ts";
import { dataDirFor } from "../place/target.ts";
import type { CliContext } from "../program.ts";

interface DoctorOptions {
  readonly data?: string;
}

/** `orrery doctor`: can this machine run a site, and does the one that is configured run? Changes nothing. */
export function addDoctorCommand(program: Command, context: CliContext): void {
  program
    .command("doctor")
    .description("check this machine and the installation of a data directory")
    .option("--data <dir>", "data directory")
    .action(async ({ data }: DoctorOptions) => {
      context.exit(exitCodes.ok);
      await examine(data === undefined ? {} : { data }, (checks) => {
        for (const check of checks) context.terminal.print(renderCheck(check));
        if (checks.some(({ state }) => state === "FAIL")) context.exit(exitCodes.findings);
      });
    });
}

const defaultUidsBase = 61_000;

async function examine(options: DoctorOptions, report: (checks: readonly HealthCheck[]) => void): Promise<void> {
  report(toolChecks());
  const dataDir = dataDirFor(options);
  const { config, check } = readConfig(dataDir);
  const weakest = config?.sandbox.allowWeak?.level ?? config?.sandbox.minLevel ?? "confined";
  report(await sandboxChecks(config?.uidsBase ?? defaultUidsBase, weakest));
  report([check, diskCheck(dataDir)]);
  const repository = config === null ? { checks: [], newest: null } : repositoryChecks(config);
  report(repository.checks);
  report([clockCheck(systemClock.now(), repository.newest)]);
  report(await daemonChecks(dataDir, config?.databaseUrl ?? null));
}

/** A configuration that does not decode is one line of the report, not its end. */
function readConfig(dataDir: string): { readonly config: Config | null; readonly check: HealthCheck } {
  try {
    const config = loadConfig({
      flags: { data: dataDir },
      environment: readEnvironment(),
      cwd: process.cwd(),
      isRoot: process.getuid?.() === 0,
    });
    return { config, check: fine("configuration", `site ${config.site}, data ${config.dataDir}`) };
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== "CONFIG_INVALID") throw error;
    const message = error.message.replaceAll("\n", "; ");
    const isEmpty = message.startsWith("repository: which");
    const check = isEmpty
      ? warn("configuration", `no repository is configured for ${dataDir}`, "orrery init, or up --repo")
      : fail("configuration", message, "correct config.yaml");
    return { config: null, check };
  }
}
