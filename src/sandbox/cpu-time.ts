import { readFileSync } from "node:fs";

// USER_HZ: fixed by the kernel's ABI on every Linux that Node runs on.
const msPerTick = 10;

/** CPU time of a process and all its threads in ms, 10 ms fine; null when it is gone. */
export function cpuTimeMs(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name may hold spaces and brackets; the fields count from behind its last bracket.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * msPerTick;
  } catch {
    return null;
  }
}
