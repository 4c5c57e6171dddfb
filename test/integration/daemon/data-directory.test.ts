import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { readDaemonFile } from "../../../src/config/index.ts";
import { openDataDirectory } from "../../../src/daemon/data-directory.ts";

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
    openDataDirectory(root)[Symbol.dispose]();
    writeFileSync(path.join(root, "daemon.lock"), JSON.stringify({ pid: dead, started: "x" }));

    using taken = openDataDirectory(root);

    expect(taken.root).toBe(root);
  });

  it("is not fooled by a reused pid", () => {
    const root = fresh();
    openDataDirectory(root)[Symbol.dispose]();
    writeFileSync(path.join(root, "daemon.lock"), JSON.stringify({ pid: process.pid, started: "another boot/1" }));

    using taken = openDataDirectory(root);

    expect(taken.root).toBe(root);
  });

  it("keeps keys to itself, sockets in a short path, and leaves neither lock nor sockets behind", () => {
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
    expect([readDaemonFile(root), existsSync(directory.runDir), existsSync(path.join(root, "daemon.lock"))]).toEqual([
      null,
      false,
      false,
    ]);
  });
});
