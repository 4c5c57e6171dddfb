import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { readDaemonFile } from "../../src/config/index.ts";
import type { Row } from "./measure.ts";

/** PSS of the built daemon with all its children, idle on an example site; beside it a bare Node process. */
export async function memoryRows(): Promise<readonly Row[]> {
  const main = path.resolve("dist/src/cli/main.js");
  if (!existsSync(main)) throw new Error("no dist/: run npm run build first");
  const dataDir = mkdtempSync("/tmp/orrery-bench-");
  const demo = spawn(process.execPath, [main, "up", "--demo", "--data", dataDir], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const bare = spawn(process.execPath, ["-e", "console.log('up');setInterval(()=>{},1e6)"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    await until(demo, "Ctrl-C stops everything");
    const pid = readDaemonFile(dataDir)?.pid;
    if (pid === undefined) throw new Error("the daemon wrote no daemon.json");
    const all = [pid, ...descendants(pid)];
    const perProcess = all.map(pssMb);
    const total = perProcess.reduce((sum, mb) => sum + mb, 0);
    return [
      {
        what: "idle daemon, all processes",
        ours: total,
        unit: "MB PSS",
        beside: { name: "bare node", value: pssMb(bare.pid ?? 0) },
        note: `${all.length} processes; the daemon itself ${perProcess[0]?.toFixed(0) ?? "?"} MB; demo site, two DAGs every 15 s`,
      },
    ];
  } finally {
    demo.kill("SIGINT");
    bare.kill();
    await new Promise((resolve) => demo.once("exit", resolve));
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function until(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      seen += chunk.toString("utf8");
      if (seen.includes(text)) resolve();
    });
    child.once("exit", () => reject(new Error(`ended before it said "${text}":\n${seen}`)));
  });
}

function descendants(pid: number): readonly number[] {
  const parents = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const parent = parentOf(Number(name));
      return parent === null ? [] : [[Number(name), parent] as const];
    });
  const found: number[] = [];
  for (let open = [pid]; open.length > 0; ) {
    const next = parents.filter(([, parent]) => open.includes(parent)).map(([child]) => child);
    found.push(...next);
    open = next;
  }
  return found;
}

function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return null;
  }
}

function pssMb(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
