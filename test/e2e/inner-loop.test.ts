import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { hostProcesses } from "../hostile/sandbox/open-sandbox.ts";
import { type CliResult, jsonOf, orrery, spawnCli } from "../support/built-cli.ts";
import { startDaemonProcess } from "../support/daemon-process.ts";
import {
  createSpecRepository,
  dagPath,
  dagText,
  type RecordLine,
  recordedIn,
  tenantFiles,
} from "../support/spec-repository.ts";
import { until } from "../support/until.ts";

/** Everything that a hash may depend on: slot, files, artifacts, items of a list, chance, code. */
const mirror = dagText(
  "schedules:",
  "  - { name: often, every: 3s, inputs: { slot: '${{ slot.utc }}' } }",
  "inputs: { slot: { type: string } }",
  "steps:",
  "  look: { uses: core.files@1.0.0, files: ['notes/*.json'] }",
  "  each:",
  "    needs: look",
  "    uses: core.js@1.0.0",
  "    forEach: { in: '${{ steps.look.outputs.documents }}', as: note }",
  "    with: { note: '${{ note.content }}' }",
  "    code: >",
  "      async ({ note }, ctx) => ({ text: new TextDecoder().decode(await ctx.artifacts.read(note)) })",
  "  chance:",
  "    uses: core.js@1.0.0",
  "    with: { slot: '${{ inputs.slot }}', now: '${{ run.now }}' }",
  "    code: >",
  "      (input) => ({ input, clock: Date.now(), chance: Math.random(), id: crypto.randomUUID() })",
);

const notes = {
  "tenants/acme/files/notes/a.json": '{"text":"one"}\n',
  "tenants/acme/files/notes/b.json": '{"text":"two"}\n',
};

interface Hashes {
  readonly inputsHash?: string;
  readonly outputsHash?: string;
  readonly steps?: RecordLine["steps"];
}

const hashesOf = (specHash: string | undefined, { inputsHash, outputsHash, steps = [] }: Hashes): object => ({
  ...{ specHash, inputsHash, outputsHash },
  steps: steps.map(({ stepId, outputsHash: output, attempts }) => ({
    ...{ stepId, output },
    attempts: attempts.map(({ index, stepHash }) => ({ index, stepHash })),
  })),
});

const isMirror = ({ kind, dagId, status }: RecordLine): boolean =>
  kind === "run" && dagId === "mirror" && status === "succeeded";

it("a slot that a daemon ran and recorded has the same hashes when it is played by run --local", async () => {
  using specs = await createSpecRepository();
  await specs.commit({ ...tenantFiles("acme"), ...notes, [dagPath("acme", "mirror")]: mirror }, "Look into the mirror");
  await specs.push();
  let record: RecordLine;
  {
    await using daemon = await startDaemonProcess(specs.dataDir);
    await daemon.nextRun("acme", "mirror");
    record = await recordedIn(specs.repository, isMirror);
  }
  const slot = record.trigger?.key.replace(/^often@/, "") ?? "";

  const args = ["run", "--local", "acme/mirror", "--repo", specs.work, "--slot", slot, "--allow-weak", "-o", "json"];
  const local = jsonOf(await orrery(args)) as Hashes & { readonly status: string; readonly specHash: string };

  expect(local.status).toBe("succeeded");
  expect(hashesOf(local.specHash, local)).toEqual(hashesOf(record.dagVersion?.specHash, record));
  expect(JSON.stringify(hashesOf(local.specHash, local))).not.toContain("null");
});

const slow = dagText(
  "steps:",
  '  wait: { uses: core.js@1.0.0, code: \'async (input, ctx) => { ctx.log("info", "waiting"); await new Promise(() => setTimeout(() => {}, 600000)); }\' }',
  "finally:",
  "  tidy: { uses: core.log@1.0.0, with: { message: 'ended ${{ run.status }}' } }",
);

it("Ctrl-C cancels a local run, lets finally run, and leaves no directory behind", async () => {
  using specs = await createSpecRepository();
  await specs.commit({ ...tenantFiles("acme"), [dagPath("acme", "slow")]: slow }, "Wait");
  const left = (): readonly string[] => readdirSync("/tmp").filter((name) => name.startsWith("orrery-l-"));
  const before = new Set(left());
  const child = await spawnCli(["run", "--local", "acme/slow", "--repo", specs.work, "--allow-weak", "-o", "json"]);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const said = { out: "", err: "" };
  child.stdout?.on("data", (text: string) => (said.out += text));
  child.stderr?.on("data", (text: string) => {
    if (!said.err.includes("waiting") && (said.err + text).includes("waiting")) child.kill("SIGINT");
    said.err += text;
  });

  const exit = await ended;

  expect(exit).toBe(1);
  const report = JSON.parse(said.out) as {
    readonly status: string;
    readonly steps: readonly { readonly stepId: string; readonly status: string }[];
  };
  expect(report.status).toBe("cancelled");
  expect(report.steps.map(({ stepId, status }) => `${stepId} ${status}`)).toEqual(["tidy succeeded", "wait cancelled"]);
  expect(left().filter((name) => !before.has(name))).toEqual([]);
});

const local = (): ReadonlySet<string> => new Set(readdirSync("/tmp").filter((name) => name.startsWith("orrery-l-")));

it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "%s while a task is tested ends it and what it started, and leaves no directory behind",
  async (signal) => {
    using specs = await createSpecRepository();
    await specs.commit(tenantFiles("acme"), "A tenant");
    await orrery(["plugin", "init", "acme/acme.slow", "--repo", specs.work]);
    const source = join(specs.work, "plugin-src/acme/acme.slow");
    const waits = "await new Promise((resolve) => setTimeout(resolve, 600000)); return { count: 1 };";
    writeFileSync(join(source, "task.ts"), `export default { run: async (input, ctx) => { ${waits} } };\n`);
    writeFileSync(join(source, "examples/another.json"), '{ "input": { "items": [] } }\n');
    const before = local();
    const child = await spawnCli(["plugin", "test", source, "--allow-weak"]);
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text: string) => (said += text));
    const mine = await hostOf(before);

    child.kill(signal);
    const exit = await ended;

    expect([exit, said]).toEqual([1, expect.stringMatching(/RUN_CANCELLED|stopped/)]);
    expect(said).toContain("0 of 2 examples ok");
    expect([...local()]).not.toContain(mine);
    expect(await hostProcesses(join("/tmp", mine))).toEqual([]);
  },
);

/** The directory of the local run that was started, once a host of it lives. */
async function hostOf(before: ReadonlySet<string>): Promise<string> {
  const isThere = (name: string): boolean => existsSync(join("/tmp", name, "sb/h0"));
  await until(() => [...local()].some((name) => !before.has(name) && isThere(name)), 60_000);
  return [...local()].find((name) => !before.has(name) && isThere(name)) ?? "";
}

it.skipIf(process.getuid?.() !== 0)(
  "a work tree that only another user may write: a run works, a build says so and writes nothing (root only)",
  async () => {
    using specs = await createSpecRepository();
    await specs.commit({ ...tenantFiles("acme"), [dagPath("acme", "say")]: saying }, "A tenant");
    await orrery(["plugin", "init", "acme/acme.count", "--repo", specs.work]);
    for (let dir = specs.work; dir !== "/tmp" && dir !== "/"; dir = dirname(dir)) chmodSync(dir, 0o755);
    const uid = 65_534;

    const ran = await orrery(["run", "--local", "acme/say", "--repo", specs.work, "--allow-weak"], { uid });
    const built = await orrery(["plugin", "build", join(specs.work, "plugin-src/acme/acme.count")], { uid });
    const made = await orrery(["plugin", "init", "acme/acme.two", "--repo", specs.work], { uid });

    expect([ran.exit, ran.stdout]).toEqual([0, expect.stringContaining("acme/say  succeeded")]);
    for (const { exit, stderr } of [built, made])
      expect([exit, stderr]).toEqual([4, expect.stringContaining("FILE_NOT_WRITABLE")]);
    expect(existsSync(join(specs.work, "tenants/acme/plugins"))).toBe(false);
  },
);

const saying = dagText("steps:", "  say: { uses: core.log@1.0.0, with: { message: hello } }");

it("Ctrl-C before anything runs is no defect of ours", async () => {
  using specs = await createSpecRepository();
  await specs.commit({ ...tenantFiles("acme"), [dagPath("acme", "slow")]: slow }, "Wait");
  const before = local();
  const child = await spawnCli(["run", "--local", "acme/slow", "--repo", specs.work, "--allow-weak"]);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  let said = "";
  child.stderr?.on("data", (text: string) => (said += text));
  await until(() => [...local()].some((name) => !before.has(name)), 60_000);
  const mine = [...local()].find((name) => !before.has(name)) ?? "";

  child.kill("SIGINT");
  const exit = await ended;

  expect(exit).toBe(1);
  expect(said).not.toContain("INTERNAL");
  expect([...local()]).not.toContain(mine);
});

it("the vitest file that plugin init writes passes as it stands, against the linked package", async () => {
  using specs = await createSpecRepository();
  await specs.commit(tenantFiles("acme"), "A tenant");
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const made = await orrery(["plugin", "init", "acme/acme.count", "--repo", specs.work]);
  expect(made).toMatchObject({ exit: 0 });
  mkdirSync(join(specs.work, "node_modules"));
  symlinkSync(root, join(specs.work, "node_modules", "orrery"));
  symlinkSync(join(root, "node_modules", "vitest"), join(specs.work, "node_modules", "vitest"));
  writeFileSync(join(specs.work, "package.json"), '{ "type": "module", "private": true }\n');

  const ran = await vitestIn(specs.work, join(root, "node_modules", "vitest", "vitest.mjs"));

  expect(ran.stdout + ran.stderr).toContain("2 passed");
  expect(ran.exit).toBe(0);
});

async function vitestIn(cwd: string, entry: string): Promise<CliResult> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: cwd, NO_COLOR: "1" };
  const child = spawn(process.execPath, [entry, "run", "plugin-src"], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const texts = { stdout: "", stderr: "" };
  child.stdout.on("data", (text: Buffer) => (texts.stdout += text.toString()));
  child.stderr.on("data", (text: Buffer) => (texts.stderr += text.toString()));
  return await new Promise((resolve) => child.once("close", (exit) => resolve({ exit, ...texts })));
}
