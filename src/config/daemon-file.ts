import { readFileSync } from "node:fs";
import path from "node:path";

/** `<data>/daemon.json`: how the CLI finds the daemon of a data directory. */
export interface DaemonFile {
  readonly pid: number;
  /** `http://host:port`. */
  readonly url: string;
  readonly metricsUrl: string;
}

export const daemonFileOf = (dataDir: string): string => path.join(dataDir, "daemon.json");

/** null where no daemon wrote one, or it does not decode (a daemon writes it whole). */
export function readDaemonFile(dataDir: string): DaemonFile | null {
  try {
    const value = JSON.parse(readFileSync(daemonFileOf(dataDir), "utf8")) as Partial<DaemonFile>;
    const { pid, url, metricsUrl } = value;
    if (typeof pid !== "number" || typeof url !== "string" || typeof metricsUrl !== "string") return null;
    return { pid, url, metricsUrl };
  } catch {
    return null;
  }
}

/** Whether a process of this pid lives (EPERM: it lives under another user). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
