import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { readDaemonFile } from "../../../src/config/index.ts";
import { refuseHeldDirectory, takeDaemonLock } from "../../../src/daemon/daemon-lock.ts";
import { openDataDirectory } from "../../../src/daemon/data-directory.ts";

/** What a daemon that was killed leaves. */
function leaveLock(root: string, holder: { readonly pid: number; readonly started: string }): void {
  mkdirSync(path.join(root, "daemon.locks"), { recursive: true });
  writeFileSync(path.join(root, "daemon.locks", "7"), JSON.stringify(holder));
}

const fresh = (): string => path.join(mkdtempSync(path.join(tmpdir(), "orrery-data-")), "data");

describe("openDataDirectory", () => {
  it("refuses a second daemon and names the pid of the first", () => {
    const root = fresh();
    using _first = openDataDirectory(root);

    expect(() => openDataDirectory(root)).toThrow(new RegExp(`pid ${process.pid}`));
  });

  it("takes over what a killed daemon left", () => {
    const root = fresh();
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    leaveLock(root, { pid: dead, started: "x" });

    using taken = openDataDirectory(root);

    expect(taken.root).toBe(root);
  });

  it("is not fooled by a reused pid", () => {
    const root = fresh();
    leaveLock(root, { pid: process.pid, started: "another boot/1" });

    using taken = openDataDirectory(root);

    expect(taken.root).toBe(root);
  });

  it("keeps keys to itself, sockets in a short path, and leaves neither a holder nor sockets behind", () => {
    const root = fresh();
    const directory = openDataDirectory(root);
    directory.writeDaemonFile({ pid: 1, url: "http://127.0.0.1:1", metricsUrl: "http://127.0.0.1:2" });

    const seen = readDaemonFile(root);
    const keysMode = statSync(path.join(root, "keys")).mode & 0o777;
    const runDirBytes = Buffer.byteLength(directory.runDir);
    directory[Symbol.dispose]();

    expect(seen).toEqual({ pid: 1, url: "http://127.0.0.1:1", metricsUrl: "http://127.0.0.1:2" });
    expect(keysMode).toBe(0o700);
    expect(runDirBytes).toBeLessThan(64);
    expect([readDaemonFile(root), existsSync(directory.runDir)]).toEqual([null, false]);
    expect(() => refuseHeldDirectory(root)).not.toThrow();
  });

  it("is held by one of three processes that start at one instant over a stale lock, however often they try", async () => {
    const rounds = 60;
    const roots = [...Array(rounds).keys()].map(fresh);
    for (const root of roots) leaveLock(root, { pid: 2 ** 22 + 1, started: "x" });

    const racers = await Promise.all([race(roots), race(roots), race(roots)]);

    const winners = roots.map((root) => racers.filter((taken) => taken.has(root)).length);
    expect(winners).toEqual(roots.map(() => 1));
  });

  it("who judged an older holder and slept since then finds the newer one, though its number was cleared", () => {
    const root = fresh();
    leaveLock(root, { pid: 2 ** 22 + 1, started: "x" });
    takeDaemonLock(root).release();
    const held = takeDaemonLock(root);

    // The number that a sleeper judged free long ago is free to make again, but no longer the greatest.
    expect(readdirSync(path.join(root, "daemon.locks"))).toEqual(["9"]);
    writeFileSync(path.join(root, "daemon.locks", "8"), JSON.stringify({ pid: 1, started: "x" }));

    expect(() => takeDaemonLock(root)).toThrow(new RegExp(`pid ${process.pid}`));
    held.release();
    takeDaemonLock(root).release();
  });
});

const racer = `
  import { takeDaemonLock } from ${JSON.stringify(path.resolve("src/daemon/daemon-lock.ts"))};
  process.stdout.write("ready\\n");
  process.stdin.once("data", () => {
    for (const root of process.argv.slice(1)) {
      try { takeDaemonLock(root); process.stdout.write("took " + root + "\\n"); } catch (error) {
        if (error.code !== "DATA_DIR_BUSY") throw error;
      }
    }
    process.stdin.pause();
    setTimeout(() => process.stdout.write("done\\n"), 0);
  });
  process.stdin.on("end", () => process.exit());
`;

/** A process that takes each of them that it can get, and lives until all are done: a dead one holds nothing. */
async function race(roots: readonly string[]): Promise<ReadonlySet<string>> {
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", racer, ...roots], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const taken = new Set<string>();
  racing.add(child);
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`a racer ended with ${String(code)}`)));
    createInterface(child.stdout).on("line", (line) => {
      if (line === "ready") startWhenAllAreReady(child);
      else if (line === "done") resolve();
      else taken.add(line.slice("took ".length));
    });
  });
  done += 1;
  if (done === racers) for (const other of racing) other.kill("SIGKILL");
  return taken;
}

const racers = 3;
const racing = new Set<ChildProcess>();
const ready = new Set<ChildProcess>();
let done = 0;

function startWhenAllAreReady(child: ChildProcess): void {
  ready.add(child);
  if (ready.size === racers) for (const each of ready) each.stdin?.write("go\n");
}
