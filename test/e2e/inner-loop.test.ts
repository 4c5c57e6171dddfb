import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
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
