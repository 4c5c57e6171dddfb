import type { SiteStatus } from "../api/index.ts";
import { type ExitCode, exitCodes, Fault, systemClock } from "../base/index.ts";
import { readDaemonFile } from "../config/index.ts";
import type { DagView } from "../store/index.ts";
import { clientFor } from "./target.ts";
import type { Terminal } from "./terminal.ts";

const lookMs = 100;

interface WaitOptions {
  readonly terminal: Terminal;
  readonly timeoutSeconds: number;
}

/** Waits until `commit` is the verified revision. Exit 0 applied, 1 something of `tenant` is held, 4 not in time. */
export async function waitForCommit(
  dataDir: string,
  commit: string,
  tenant: string | null,
  { terminal, timeoutSeconds }: WaitOptions,
): Promise<ExitCode> {
  const untilMs = systemClock.monotonicMs() + timeoutSeconds * 1000;
  let status = await readSite(dataDir);
  while (status.appliedRevision !== commit) {
    if (systemClock.monotonicMs() > untilMs) {
      terminal.note(`not applied: the site is at ${status.appliedRevision ?? "no revision"}`);
      for (const { reason, message } of status.reasons) terminal.note(`  ${reason}: ${message}`);
      return exitCodes.unavailable;
    }
    await systemClock.sleep(lookMs, new AbortController().signal);
    status = await readSite(dataDir);
  }
  terminal.print(`applied ${commit}`);
  return tenant === null ? exitCodes.ok : heldOf(dataDir, tenant, terminal);
}

async function heldOf(dataDir: string, tenant: string, terminal: Terminal): Promise<ExitCode> {
  const client = await clientFor(dataDir, tenant);
  const { items } = (await client.get("/dags")) as { readonly items: readonly DagView[] };
  // Ready and Stalled both say it; once is enough.
  const held = items.flatMap(({ dagId, conditions }) =>
    conditions
      .filter(({ type, reason }) => type === "Ready" && reason === "Held")
      .map(({ message }) => `${tenant}/${dagId} ${message}`),
  );
  for (const line of held) terminal.note(line);
  return held.length === 0 ? exitCodes.ok : exitCodes.findings;
}

async function readSite(dataDir: string): Promise<SiteStatus> {
  const daemon = readDaemonFile(dataDir);
  if (daemon === null) throw new Fault("DAEMON_UNREACHABLE", `no daemon runs on ${dataDir}`);
  const response = await fetch(`${daemon.url}/readyz`).catch((error: unknown) => {
    throw new Fault("DAEMON_UNREACHABLE", `the daemon with pid ${daemon.pid} does not answer`, { cause: error });
  });
  return (await response.json()) as SiteStatus;
}
