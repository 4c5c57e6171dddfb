import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CliResult, jsonOf } from "../support/built-cli.ts";
import { type DaemonProcess, startDaemonProcess } from "../support/daemon-process.ts";
import {
  createSpecRepository,
  dagPath,
  dagText,
  makePersonKey,
  publicKeyOf,
  type SpecRepository,
  tenantFiles,
} from "../support/spec-repository.ts";

const tick = dagText(
  "schedules: [{ every: 3s }]",
  "steps: { beat: { uses: core.log@1.0.0, with: { message: beat } } }",
);
const two = (...steps: readonly string[]): string => dagText("steps:", ...steps.map((step) => `  ${step}`));
const first = "first: { uses: core.log@1.0.0, with: { message: one } }";
const second = "second: { needs: first, uses: core.log@1.0.0, with: { message: two } }";
const good = two(first, second);
/** Line 7 asks for a step that is not there; line 6 has a word that is no field. */
const unknownNeed = two(first, second.replace("needs: first", "needs: frist"));
const unknownField = two(first.replace("with:", "withh:"), second);

let specs: SpecRepository;
let daemon: DaemonProcess;
let base: string;

const wait = (commit: string, ...more: readonly string[]): Promise<CliResult> =>
  daemon.cli("wait", commit, "--timeout", "30", ...more);

async function publish(files: Readonly<Record<string, string | null>>, message: string): Promise<string> {
  const commit = await specs.commit(files, message);
  await specs.push();
  return commit;
}

interface DagAnswer {
  readonly specHash: string;
  readonly commit: string;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  }[];
}

const describeDag = async (name: string): Promise<DagAnswer> =>
  jsonOf(await daemon.cli("describe", name, "-o", "json")) as DagAnswer;

beforeAll(async () => {
  specs = await createSpecRepository();
  daemon = await startDaemonProcess(specs.dataDir);
  base = await publish(
    {
      ...tenantFiles("acme"),
      ...tenantFiles("borealis"),
      [dagPath("acme", "tick")]: tick,
      [dagPath("acme", "alpha")]: good,
      [dagPath("acme", "omega")]: good,
      [dagPath("borealis", "tick")]: tick,
    },
    "Two tenants",
  );
  const applied = await wait(base, "-t", "acme");
  if (applied.exit !== 0) throw new Error(applied.stderr);
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  specs[Symbol.dispose]();
});

describe("two DAGs broken in one commit", () => {
  let before: DagAnswer;
  let since: number;
  let held: CliResult;

  beforeAll(async () => {
    before = await describeDag("acme/alpha");
    const broken = { [dagPath("acme", "alpha")]: unknownNeed, [dagPath("acme", "omega")]: unknownField };
    const commit = await publish(broken, "Break two");
    held = await wait(commit, "-t", "acme");
    since = daemon.log.length;
  });

  it("wait says that they are held, each with file, line and column, exit 1", () => {
    expect(held.exit).toBe(1);
    expect(held.stderr).toMatch(/^acme\/alpha held at [0-9a-f]{12}: tenants\/acme\/dags\/alpha\.yaml:7:\d+ .*frist/mu);
    expect(held.stderr).toMatch(/^acme\/omega held at [0-9a-f]{12}: tenants\/acme\/dags\/omega\.yaml:6:\d+ .*withh/mu);
    expect(held.stderr.trim().split("\n")).toHaveLength(2);
  });

  it("each is held alone: its condition says where, its last good version stays and runs", async () => {
    const [alpha, omega, ticking, run] = await Promise.all([
      ...["acme/alpha", "acme/omega", "acme/tick"].map(describeDag),
      daemon.cli("run", "acme/alpha", "-o", "json"),
    ]);
    const shown = await daemon.cli("describe", "acme/omega");

    const reasonOf = (dag: DagAnswer) => dag.conditions.filter(({ reason }) => reason === "Held");
    expect(reasonOf(alpha as DagAnswer)[0]?.message).toMatch(
      /^held at [0-9a-f]{12}: tenants\/acme\/dags\/alpha\.yaml:7:\d+ /u,
    );
    expect(reasonOf(omega as DagAnswer)[0]?.message).toMatch(
      /^held at [0-9a-f]{12}: tenants\/acme\/dags\/omega\.yaml:6:\d+ /u,
    );
    expect(shown.stdout).toMatch(/Held: held at [0-9a-f]{12}: tenants\/acme\/dags\/omega\.yaml:6:\d+ /u);
    expect(reasonOf(ticking as DagAnswer)).toEqual([]);
    expect(alpha).toMatchObject({ specHash: before.specHash, commit: base });
    expect(run as CliResult).toMatchObject({ exit: 0 });
    expect((jsonOf(run as CliResult) as { readonly commit: string }).commit).toBe(base);
  });

  it("the rest of the tenant and the other tenant go on by schedule", async () => {
    const runs = await Promise.all([daemon.nextRun("acme", "tick", since), daemon.nextRun("borealis", "tick", since)]);

    expect(runs.map(({ status }) => status)).toEqual(["succeeded", "succeeded"]);
  });

  it("lint of the clone finds the same two and nothing else", async () => {
    const { exit, stdout } = await specs.lint();

    const { findings } = JSON.parse(stdout) as { readonly findings: readonly { path: string; line: number }[] };
    expect(exit).toBe(1);
    expect(findings.map(({ path, line }) => `${path}:${String(line)}`)).toEqual([
      "tenants/acme/dags/alpha.yaml:7",
      "tenants/acme/dags/omega.yaml:6",
    ]);
  });

  it("the fix of one frees it and leaves the other held; the fix of both is a clean site", async () => {
    const half = await publish({ [dagPath("acme", "alpha")]: good }, "Mend one");
    const halfWait = await wait(half, "-t", "acme");
    const whole = await publish({ [dagPath("acme", "omega")]: good }, "Mend the other");
    const wholeWait = await wait(whole, "-t", "acme");

    const dags = await Promise.all(["acme/alpha", "acme/omega"].map(describeDag));
    expect(halfWait).toMatchObject({ exit: 1 });
    expect(halfWait.stderr).toMatch(/^acme\/omega held at [^\n]*\n$/u);
    expect(wholeWait).toMatchObject({ exit: 0, stderr: "" });
    for (const { conditions } of dags) {
      expect(conditions).toContainEqual(expect.objectContaining({ type: "Ready", status: "True" }));
      expect(conditions).toContainEqual(expect.objectContaining({ type: "Stalled", status: "False" }));
    }
  });
});

describe("a commit that may not stand", () => {
  const reasonAt = async (commit: string): Promise<string> => {
    await daemon.logged(
      (line) => line.msg === "the site is stalled" && String(line["detail"]).includes(commit.slice(0, 7)),
    );
    const late = await daemon.cli("wait", commit, "--timeout", "0");
    expect(late.exit).toBe(1);
    return late.stderr;
  };

  /** The verified revision goes on: a scheduled run of each tenant, begun after the stall, ends well. */
  const goesOn = async (): Promise<void> => {
    const runs = await Promise.all([daemon.nextRun("acme", "tick"), daemon.nextRun("borealis", "tick")]);
    expect(runs.map(({ status }) => status)).toEqual(["succeeded", "succeeded"]);
  };

  it("unsigned: stalled with the reason, the last good revision runs on, a signed merge past it heals", async () => {
    const verified = await specs.git("rev-parse", "HEAD");
    const unsigned = await specs.commit({ [dagPath("acme", "alpha")]: null }, "Remove alpha unsigned", "nobody");
    await specs.push();

    const reason = await reasonAt(unsigned);
    await goesOn();
    const alpha = await daemon.cli("get", "dag", "acme/alpha");
    await specs.git("revert", "--no-edit", "-S", "HEAD");
    await specs.push();
    const reverted = await specs.git("rev-parse", "HEAD");
    const onTop = await daemon.cli("wait", reverted, "--timeout", "3");
    await specs.git("reset", "-q", "--hard", verified);
    await specs.git("merge", "-q", "-S", "--no-ff", "-s", "ours", "-m", "Drop what nobody signed", reverted);
    await specs.push();
    const healed = await wait(await specs.git("rev-parse", "HEAD"), "-t", "acme");

    expect(reason).toMatch(/TrustUnsigned: commit [0-9a-f]+ /u);
    expect(alpha).toMatchObject({ exit: 0 });
    expect(onTop).toMatchObject({ exit: 1 });
    expect(onTop.stderr).toContain("TrustUnsigned");
    expect(healed).toMatchObject({ exit: 0, stderr: "" });
  });

  it("an unknown key: stalled; the signer named first by who may, then the merge of what she signed, heals", async () => {
    const stranger = makePersonKey(join(specs.root, "stranger_key"), "zoe@acme.example");
    const verified = await specs.git("rev-parse", "HEAD");
    const foreign = await specs.commit({ "tenants/acme/files/note.txt": "hello\n" }, "From outside", { key: stranger });
    await specs.push();

    const reason = await reasonAt(foreign);
    await goesOn();
    const signers = await specs.git("show", `${verified}:keys/spec_signers`);
    const [type = "", key = ""] = publicKeyOf(stranger).split(" ");
    await specs.git("reset", "-q", "--hard", verified);
    await specs.commit(
      { "keys/spec_signers": `${signers}\nzoe@acme.example namespaces="git" ${type} ${key}\n` },
      "Welcome Zoe",
    );
    await specs.git("merge", "-q", "-S", "--no-ff", "-m", "Take what Zoe signed", foreign);
    await specs.push();
    const healed = await wait(await specs.git("rev-parse", "HEAD"), "-t", "acme");
    const own = await specs.commit({ "tenants/acme/files/note.txt": "hello again\n" }, "From inside", {
      key: stranger,
    });
    await specs.push();
    const ownApplied = await wait(own, "-t", "acme");

    expect(reason).toMatch(/TrustUnknownKey: commit [0-9a-f]+ /u);
    expect([healed, ownApplied]).toMatchObject([
      { exit: 0, stderr: "" },
      { exit: 0, stderr: "" },
    ]);
  });

  it("a force push, which init's repository denies by itself: stalled, it runs on; the history pushed again heals", async () => {
    const verified = await specs.git("rev-parse", "HEAD");
    const since = daemon.log.length;
    const back = ["push", "-q", "--force", "origin", `${verified}~1:main`];
    await expect(specs.git(...back)).rejects.toThrow("denying non-fast-forward");
    await specs.bareGit("config", "receive.denyNonFastForwards", "false");
    await specs.git(...back);

    const stalled = await daemon.logged((line) => line.msg === "the site is stalled", since);
    await goesOn();
    await specs.git("revert", "--no-edit", "-S", "HEAD");
    const undone = await specs.git("rev-parse", "HEAD");
    await specs.push();
    const healed = await wait(undone, "-t", "acme");

    expect(stalled).toMatchObject({ reason: "TrustRewind", revision: verified });
    expect(healed).toMatchObject({ exit: 0, stderr: "" });
  });
});
