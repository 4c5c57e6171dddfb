import type { ChildProcess } from "node:child_process";
import {
  accessSync,
  chownSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CliOptions, type CliResult, jsonOf, orrery, spawnCli } from "../support/built-cli.ts";
import { descendantsOf } from "../support/daemon-process.ts";
import { stockGit } from "../support/git-fixtures.ts";
import { testFolder } from "../support/spec-repository.ts";
import { until } from "../support/until.ts";

interface Verdict {
  readonly ok: boolean;
  readonly site: string;
  readonly repository: string;
  readonly specRef: string;
  readonly auditBranch: string;
  readonly auditSigners: string;
  readonly dataDir: string;
  readonly level: string;
  readonly runs: Readonly<Record<string, number>>;
  readonly denied: number;
  readonly records: number;
  readonly verified: boolean;
  readonly seconds: number;
}

const nobody = 65_534;
/** The issue says "at most about 30". */
const maxLines = 32;

/** What a whole `up --demo --exit` must show, whoever runs it. */
function expectWholeStory({ exit, stdout, stderr }: CliResult, dataDir: string): void {
  const lines = stdout.trimEnd().split("\n");
  const verdict = JSON.parse(lines.at(-1) ?? "") as Verdict;
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
  expect(lines.length).toBeLessThanOrEqual(maxLines);
  expect(verdict).toMatchObject({
    ...{ ok: true, site: "demo", verified: true, dataDir },
    ...{ specRef: "refs/heads/main", auditBranch: "refs/heads/audit/demo" },
    ...{ repository: join(dataDir, "specs.git"), auditSigners: join(dataDir, "audit_signers") },
  });
  expect(verdict.auditSigners.startsWith(verdict.repository)).toBe(false);
  expect(Object.keys(verdict.runs).sort()).toEqual(["cancelled", "failed", "succeeded", "timed_out"]);
  expect(verdict.runs["succeeded"]).toBeGreaterThanOrEqual(3);
  expect(verdict.runs["failed"]).toBeGreaterThanOrEqual(1);
  expect(verdict.denied).toBeGreaterThanOrEqual(1);
  expect(verdict.seconds).toBeGreaterThan(0);
  expect(["sealed", "confined", "process"]).toContain(verdict.level);
  expect(stdout).toContain(`Good "git" signature for audit@demo`);
  expect(stdout).toContain("not proven: ");
  expect(stdout.includes("WARNING")).toBe(verdict.level === "process");
  if (verdict.level === "process") expect(stdout).toContain("this gives level confined: ");
}

let folder: string;
let dataDir: string;
let options: CliOptions;

const verify = (...more: readonly string[]): Promise<CliResult> =>
  orrery([
    "audit",
    "verify",
    "--repo",
    join(dataDir, "specs.git"),
    "--signers",
    join(dataDir, "audit_signers"),
    "-o",
    "json",
    ...more,
  ]);

beforeAll(() => {
  folder = testFolder();
  dataDir = join(folder, "demo");
  // Sockets of this demo alone: what is left there after its end is its own.
  const sockets = join(folder, "s");
  mkdirSync(sockets, { mode: 0o711 });
  options = { cwd: folder, env: { TMPDIR: sockets } };
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the demo, twice on one data directory", () => {
  let first: CliResult;
  let witness: string;

  beforeAll(async () => {
    first = await orrery(["up", "--demo", "--exit", "--data", dataDir], options);
    const checkpoint = stockGit(join(dataDir, "specs.git"), ["cat-file", "blob", "refs/heads/audit/demo:checkpoint"]);
    witness = join(folder, "first.checkpoint");
    writeFileSync(witness, `${checkpoint}\n`);
  });

  it("--exit tells the whole story in about thirty lines, the last one JSON with absolute paths, exit 0", () => {
    expectWholeStory(first, dataDir);
  });

  it("leaves no socket directory and no daemon file", () => {
    const left = readdirSync(dataDir).filter((name) => name === "daemon.json");

    expect(left).toEqual([]);
    expect(readdirSync(join(folder, "s"))).toEqual([]);
  });

  it("a second start goes on: refuses a third with its pid, lets itself be tampered with in a copy, stops on Ctrl-C", async () => {
    const child = await spawnCli(["up", "--demo", "--data", dataDir], options);
    const told = await untilSaid(child, "Ctrl-C stops everything");
    const started = descendantsOf(child.pid ?? 0);

    const [third, thirdDemo, tampered] = await Promise.all([
      orrery(["up", "--data", dataDir, "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"], options),
      orrery(["up", "--demo", "--exit", "--data", dataDir], options),
      orrery(["demo", "tamper", "--data", dataDir], options),
    ]);
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    child.kill("SIGINT");
    const exit = await ended;
    const verdict = await verify("--witness", witness);

    expect(told).toContain("as the last start left it");
    expect(told).toContain("try 3");
    for (const refused of [third, thirdDemo]) {
      expect(refused.exit).toBe(3);
      expect(refused.stderr).toContain(
        `DATA_DIR_BUSY: ${dataDir} is in use by the daemon with pid ${String(child.pid)}`,
      );
    }
    expect(tampered.exit).toBe(0);
    expect(tampered.stdout).toMatch(/^changed {4}one byte of record (acme|borealis) seq \d+ in a copy/u);
    const record = /record ((?:acme|borealis) seq \d+) in a copy/u.exec(tampered.stdout)?.[1] ?? "none";
    expect(tampered.stdout).toMatch(new RegExp(`^ {2}ORY6\\d{3} AUDIT_[A-Z]+ ${record}: `, "mu"));
    expect(started.length).toBeGreaterThan(2);
    expect(exit).toBe(0);
    await until(() => started.every((pid) => !isRunning(pid)));
    expect(readdirSync(join(folder, "s"))).toEqual([]);
    expect(jsonOf(verdict) as Verdict).toMatchObject({ ok: true, findings: [] });
    expect((jsonOf(verdict) as Verdict).records).toBeGreaterThan((jsonOf(first) as Verdict).records);
  });

  it("the tampered copy is gone and the branch itself untouched", async () => {
    const left = readdirSync(join(dataDir, "demo")).filter((name) => name.startsWith("tampered"));

    expect(left).toEqual([]);
    expect(await verify()).toMatchObject({ exit: 0 });
  });
});

describe("what goes wrong before the daemon is up", () => {
  it("demo tamper without a demo is exit 4 and says what to do first", async () => {
    const result = await orrery(["demo", "tamper", "--data", join(folder, "nothing")], options);

    expect(result.exit).toBe(4);
    expect(result.stderr).toContain("npm start");
  });

  it("up without a repository is refused and leaves nothing that would refuse the next start", async () => {
    const empty = join(folder, "empty");
    const args = ["up", "--data", empty, "--repo", join(folder, "no.git")];

    const results = [await orrery(args, options), await orrery(args, options)];

    expect(results.map(({ exit }) => exit).every((exit) => exit !== 0 && exit !== 70)).toBe(true);
    expect(results[1]?.stderr).not.toContain("DATA_DIR_BUSY");
    expect(results[0]?.stderr).toContain("no.git");
    expect(readdirSync(join(folder, "s"))).toEqual([]);
  });
});

/** Why this machine cannot show it, or null. */
function obstacle(): string | null {
  if (process.getuid?.() !== 0) return "the tests run as an ordinary user already";
  try {
    accessSync(process.execPath, constants.X_OK);
  } catch {
    return "node is closed to other users";
  }
  for (let dir = import.meta.dirname; dir !== "/"; dir = join(dir, ".."))
    if ((statSync(dir).mode & 0o005) !== 0o005) return "this checkout is closed to other users";
  return null;
}

const why = obstacle();

describe.skipIf(why !== null)(`the demo of an ordinary user${why === null ? "" : ` (skipped: ${why})`}`, () => {
  it("tells the same story, and says loudly where its sandbox is weak", async () => {
    const home = join(folder, "nobody");
    mkdirSync(join(home, "s"), { recursive: true });
    for (const dir of [home, join(home, "s")]) chownSync(dir, nobody, nobody);
    const own = join(home, "demo");

    const result = await orrery(["up", "--demo", "--exit", "--data", own], {
      cwd: home,
      env: { TMPDIR: join(home, "s"), HOME: home },
      uid: nobody,
    });

    expectWholeStory(result, own);
    expect(readdirSync(join(home, "s"))).toEqual([]);
  });
});

/** Everything on standard output up to a line that holds `text`. */
function untilSaid(child: ChildProcess, text: string): Promise<string> {
  let said = "";
  let wrong = "";
  child.stderr?.on("data", (part: string) => (wrong += part));
  return new Promise((resolve, reject) => {
    child.stdout?.on("data", (part: string) => {
      said += part;
      if (said.includes(text)) resolve(said);
    });
    child.once("close", (exit) => reject(new Error(`ended with ${String(exit)}\n${said}${wrong}`)));
  });
}

/** A zombie that nobody waits for has ended too. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/su.test(readFileSync(`/proc/${String(pid)}/stat`, "utf8"));
  } catch {
    return false;
  }
}
