import type { Machine } from "./syscalls.ts";

/** What of a machine decides which level it can have. */
export interface HostSystem {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** Where system tools are looked for. */
  readonly toolDirs: readonly string[];
}

export const thisSystem = (): HostSystem => ({
  platform: process.platform,
  arch: process.arch,
  toolDirs: ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin"],
});

/** null where no wall can be built: bubblewrap and seccomp are Linux's, and the filter knows two machines. */
export function wallMachine({ platform, arch }: HostSystem): Machine | null {
  return platform === "linux" && (arch === "x64" || arch === "arm64") ? arch : null;
}

/** Whether /proc tells memory and CPU time of a process. */
export const hasProc = ({ platform }: HostSystem): boolean => platform === "linux";
