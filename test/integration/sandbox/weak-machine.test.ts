import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildSandbox } from "../../../scripts/build-sandbox.ts";
import type { HostSystem, SandboxOptions } from "../../../src/sandbox/index.ts";
import { type Bench, openSandbox, outcome, type StepOverrides } from "../../hostile/sandbox/open-sandbox.ts";

const isRoot = process.getuid?.() === 0;
const bare: HostSystem = { platform: "linux", arch: process.arch, toolDirs: [] };
const mac: HostSystem = { platform: "darwin", arch: "arm64", toolDirs: ["/usr/bin", "/bin"] };

const home = mkdtempSync(join(tmpdir(), "osw-"));
const appDir = join(home, "app");
beforeAll(() => buildSandbox(appDir));
afterAll(() => rmSync(home, { recursive: true }));

const open = (system: HostSystem, over: Partial<SandboxOptions> = {}): Promise<Bench> =>
  openSandbox({ system, appDir, warm: 0, ...over });

const host = (...builtins: string[]): StepOverrides => ({ isolation: "host", builtins });
const refusal = (call: string): string =>
  `() => { try { ${call}; return {}; } catch (e) { return { code: e.code }; } }`;

describe.each([
  ["Linux without bubblewrap, prlimit and setpriv", bare, "bubblewrap is not installed"],
  ["macOS, as far as Linux can play it", mac, "no wall is known for darwin on arm64"],
])("a machine of the sort: %s", (_name, system, reason) => {
  it.each([
    ["hosts with users of their own where we are root", isRoot ? 61_001 : null],
    ["hosts with our own user", null],
  ])("runs steps at level process, and says why and what is loose: %s", async (_who, uidsBase) => {
    await using bench = await open(system, { uidsBase });
    const { level, facts } = bench.hosts;

    const ends = [
      await bench.step("({ n }) => ({ next: n + 1 })", { with: { n: 1 } }),
      await bench.step("() => { const all = []; for (;;) all.push('x'.repeat(1e5) + all.length); }"),
      await bench.step("() => { for (;;); }", { limits: { timeoutMs: 700 } }),
      await bench.step(refusal("require('fs').readFileSync('/etc/passwd')"), host("fs")),
      await bench.step(refusal("require('child_process').execSync('true')"), host("child_process")),
      await bench.step(`() => { require('fs').writeFileSync('mine', 'x'); return { ok: 1 }; }`, host("fs")),
    ].map(outcome);

    expect({ level, reason: facts.reason }).toEqual({ level: "process", reason });
    expect(facts.unheld).toContain("the size of its scratch folder");
    expect(ends).toEqual([
      { next: 2 },
      "resource/STEP_OUT_OF_MEMORY",
      "timeout/STEP_TIMEOUT",
      { code: "ERR_ACCESS_DENIED" },
      { code: "ERR_ACCESS_DENIED" },
      { ok: 1 },
    ]);
  });

  it("runs nothing where the minimum is confined, as a daemon's is by default", async () => {
    await using bench = await open(system, { minLevel: "confined" });

    const end = await bench.step("() => ({})");

    expect(bench.hosts.capacity).toBe(0);
    expect(outcome(end)).toMatch(/SANDBOX_UNAVAILABLE$/);
  });
});

it("without prlimit the shell sets the limits, and they hold; without a /proc they are named as missing", async () => {
  await using linux = await open(bare);
  await using darwin = await open(mac);
  const limits = "() => ({ text: require('fs').readFileSync('/proc/self/limits', 'utf8') })";
  const buffers = "() => { const all = []; for (;;) all.push(new Uint8Array(16 << 20).fill(1)); }";

  const end = await linux.step(buffers);
  const denied = await linux.step(limits, host("fs"));

  expect(outcome(end)).toBe("resource/STEP_OUT_OF_MEMORY");
  expect(outcome(denied)).toBe("permanent/STEP_FAILED");
  expect(linux.hosts.facts.unheld).not.toContain("memory outside of the JavaScript heap");
  expect(darwin.hosts.facts.unheld).toEqual(
    expect.arrayContaining(["memory outside of the JavaScript heap", "CPU time (its timeout holds)"]),
  );
  expect(darwin.hosts.facts.probes).toContainEqual({
    name: "gain privileges",
    stopped: false,
    detail: "unknown: no /proc",
  });
});

it("a temporary folder behind a link, as /tmp of macOS, keeps a step in its scratch and lets it write there", async () => {
  mkdirSync(join(home, "real"), { mode: 0o755 });
  symlinkSync(join(home, "real"), join(home, "link"));
  await using bench = await open(mac, { socketDir: join(home, "link"), uidsBase: null });

  const end = await bench.step(
    "() => { const fs = require('fs'); fs.writeFileSync(process.cwd() + '/mine', 'x'); return { all: fs.readdirSync('.') }; }",
    host("fs"),
  );

  expect(outcome(end)).toEqual({ all: ["mine"] });
});

it("there is none on Windows", async () => {
  await using bench = await open({ ...mac, platform: "win32" });

  expect(bench.hosts).toMatchObject({ level: "none", capacity: 0 });
});
