import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { type Command, InvalidArgumentError, Option } from "commander";
import { dataDirOf, readEnvironment } from "../../config/index.ts";
import { isId } from "../../spec/index.ts";
import type { DaemonClient } from "../daemon-client.ts";
import { usage } from "../terminal.ts";

/** Options that every command of a daemon has. */
export interface DaemonOptions {
  readonly data?: string;
  readonly tenant?: string;
  readonly output: OutputFormat;
}

export type OutputFormat = "text" | "json";

export function withDaemonOptions(command: Command): Command {
  return command
    .option("--data <dir>", "data directory of the daemon")
    .option("-t, --tenant <tenant>", "tenant, where the argument does not name it")
    .addOption(outputOption());
}

/** `-o text|json`; any other word is a usage error, never taken for text. */
export const outputOption = (): Option =>
  new Option("-o, --output <format>").choices(["text", "json"] satisfies OutputFormat[]).default("text");

/** For `--timeout`: what is no number would wait for ever. */
export function parseSeconds(text: string): number {
  if (!/^\d{1,8}(\.\d+)?$/.test(text)) throw new InvalidArgumentError("not a number of seconds");
  return Number(text);
}

/** `./.orrery` where the demo stands, else the installation's data directory. */
export function dataDirFor(options: { readonly data?: string }): string {
  const environment = readEnvironment();
  const isRoot = process.getuid?.() === 0;
  const source = { flags: {}, environment, cwd: process.cwd(), isRoot };
  if (options.data !== undefined) return dataDirOf({ data: options.data }, source);
  const named = environment.settings["ORRERY_DATA"];
  if (named !== undefined) return dataDirOf({ data: named }, source);
  const demo = dataDirOf({ data: ".orrery" }, source);
  return existsSync(demo) ? demo : dataDirOf({}, source);
}

/** `TENANT/NAME`, or `NAME` with -t. */
export function parseTarget(
  argument: string,
  options: { readonly tenant?: string },
): { readonly tenant: string; readonly name: string } {
  const at = argument.indexOf("/");
  const tenant = at < 0 ? options.tenant : argument.slice(0, at);
  const name = argument.slice(at + 1);
  if (tenant === undefined || !isId(tenant) || !isId(name)) {
    throw usage(`${argument} is not TENANT/NAME (or give -t TENANT)`);
  }
  return { tenant, name };
}

export function tenantOf(options: { readonly tenant?: string }): string {
  if (options.tenant === undefined) throw usage("which tenant? -t TENANT");
  return options.tenant;
}

/** What talks to a daemon is loaded for that: a local run must not wait for its tokens' library. */
export async function clientFor(
  dataDir: string,
  tenant: string,
  scope: "operate" | "admin" = "operate",
): Promise<DaemonClient> {
  const { connectDaemon } = await import("../daemon-client.ts");
  return await connectDaemon({ dataDir, tenant, subject: `${userName()}@cli`, scope });
}

/** The number where the user has no name: containers run under any uid. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}
