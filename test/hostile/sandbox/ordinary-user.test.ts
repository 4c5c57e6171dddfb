import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const script = fileURLToPath(new URL("user-process.ts", import.meta.url));
const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--"];

/** Why this machine cannot show it, or null. */
function obstacle(): string | null {
  if (process.getuid?.() !== 0) return "only root can become nobody; the other suites run as this user already";
  if (!existsSync("/usr/bin/setpriv")) return "no setpriv";
  const reads = spawnSync("/usr/bin/setpriv", [...nobody, "/usr/bin/test", "-r", script]);
  return reads.status === 0 ? null : "this checkout is closed to other users";
}

const why = obstacle();

describe.skipIf(why !== null)(`a daemon of an ordinary user${why === null ? "" : ` (skipped: ${why})`}`, () => {
  it.each([
    ["reaches the same level as root or names why not, and stops the same attacks", [], ["confined", "process"]],
    ["stops them at level process, too, where the machine has no tool for it but its shell", ["bare"], ["process"]],
  ])("%s", (_what, args, levels) => {
    const child = spawnSync("/usr/bin/setpriv", [...nobody, process.execPath, "--import", "tsx", script, ...args], {
      env: { TMPDIR: "/tmp", HOME: "/nonexistent" },
      encoding: "utf8",
      timeout: 100_000,
    });

    const seen = JSON.parse(child.stdout) as { level: string; reason: string; outcomes: unknown[] };

    expect(levels).toContain(seen.level);
    expect(seen.reason).not.toBe("");
    expect(seen.outcomes).toEqual([
      { ok: 1 },
      "resource/STEP_OUT_OF_MEMORY",
      "timeout/STEP_TIMEOUT",
      { stopped: true },
      { stopped: true },
      "poison/SANDBOX_PROTOCOL",
    ]);
  });
});
