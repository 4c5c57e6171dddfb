import path from "node:path";
import type { Command } from "commander";
import type { CliContext } from "../program.ts";
import { packageRoot } from "../version.ts";

interface ServiceOptions {
  readonly repo: string;
  readonly data: string;
  readonly user?: string;
}

/** `orrery service print`: a systemd unit for `orrery up`. */
export function addServiceCommand(program: Command, { terminal }: CliContext): void {
  const service = program.command("service").description("run as a system service");
  service
    .command("print")
    .description("print a systemd unit")
    .requiredOption("--repo <dir>", "the spec repository")
    .option("--data <dir>", "data directory", "/var/lib/orrery")
    .option("--user <name>", "run as this user (default: root, which drops to users of its own for each child)")
    .exitOverride()
    .action((options: ServiceOptions) => {
      terminal.print(unitText(options));
    });
}

function unitText({ repo, data, user }: ServiceOptions): string {
  const main = path.join(packageRoot(), "dist", "src", "cli", "main.js");
  const quoted = [
    process.execPath,
    "--enable-source-maps",
    main,
    "up",
    "--repo",
    path.resolve(repo),
    "--data",
    path.resolve(data),
  ].map(unitQuoted);
  return `[Unit]
Description=Orrery: GitOps reconciler and DAG orchestrator
Documentation=file://${path.join(packageRoot(), "docs", "operator.md")}
After=local-fs.target

[Service]
Type=exec
ExecStart=${quoted.join(" ")}
${user === undefined ? "" : `User=${user}\n`}Restart=on-failure
RestartSec=5
TimeoutStopSec=60
KillMode=mixed
Delegate=yes
UMask=0022

[Install]
WantedBy=multi-user.target`;
}

/** systemd splits at blanks and expands % and $. */
function unitQuoted(word: string): string {
  return `"${word.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%").replaceAll("$", "$$$$")}"`;
}
