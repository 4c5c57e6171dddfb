import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CliResult, jsonOf, orrery } from "../support/built-cli.ts";
import { type DaemonProcess, startDaemonProcess } from "../support/daemon-process.ts";
import { gitEnvironment } from "../support/git-fixtures.ts";
import {
  auditRef,
  createSpecRepository,
  dagPath,
  dagText,
  person,
  type SpecRepository,
  tenantFiles,
  testSite,
} from "../support/spec-repository.ts";

const shellVerifier = fileURLToPath(new URL("../../docs/verify-audit.sh", import.meta.url));
const hasJq = spawnSync("jq", ["--version"]).status === 0;

const greet = dagText(
  "inputs: { whom: { type: string, default: everybody } }",
  "steps:",
  "  make: { uses: core.js@1.0.0, with: { whom: '${{ inputs.whom }}' }, code: '({ whom }) => ({ text: `hello ${whom}` })' }",
  "  say: { needs: make, uses: core.log@1.0.0, with: { message: '${{ steps.make.outputs.text }}' } }",
);

let specs: SpecRepository;
let daemon: DaemonProcess;
let commit: string;
let applied: CliResult;

beforeAll(async () => {
  specs = await createSpecRepository();
  daemon = await startDaemonProcess(specs.dataDir);
  commit = await specs.commit({ ...tenantFiles("acme"), [dagPath("acme", "greet")]: greet }, "Greet people by name");
  await specs.push();
  applied = await daemon.cli("wait", commit, "-t", "acme", "--timeout", "30");
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  specs[Symbol.dispose]();
});

describe("the whole line on the built command line", () => {
  it("init makes what a person can clone, commit to and push with stock git; up applies the commit", async () => {
    const head = await specs.bareGit("rev-parse", "refs/heads/main");

    expect(head).toBe(commit);
    expect(applied).toMatchObject({ exit: 0, stdout: `applied ${commit}\n` });
    expect(daemon.log.every(({ level }) => level !== "error" && level !== "fatal")).toBe(true);
  });

  it("the commit itself stands on record, with its signer and its message as the reason", async () => {
    const records = await Promise.all(
      ["acme", "_site"].map((tenant) => specs.recorded((line) => line.tenant === tenant && line.to === commit)),
    );

    for (const record of records) {
      expect(record).toMatchObject({ kind: "reconcile", actor: { kind: "commit", subject: person } });
      expect(record.rationale).toEqual([{ source: "commit", text: "Greet people by name" }]);
    }
  });

  it("a run by hand ends and its signed record carries who, why and which commit", async () => {
    const run = await daemon.cli("run", "acme/greet", "-i", "whom=Ana", "-m", "Show it to the auditors.", "-o", "json");
    const { runId, state } = jsonOf(run) as { readonly runId: string; readonly state: string };

    const record = await specs.recorded((line) => line.runId === runId);

    expect(run.exit).toBe(0);
    expect(state).toBe("succeeded");
    expect(record).toMatchObject({
      ...{ tenant: "acme", kind: "run", dagId: "greet", runNo: 1, status: "succeeded", policyRevision: commit },
      dagVersion: { commit },
      actor: { kind: "user" },
      trigger: { kind: "manual" },
    });
    expect(record.rationale).toContainEqual({ source: "trigger", text: "Show it to the auditors." });
    expect(record.rationale).toContainEqual({ source: "spec", text: "An end-to-end test." });
  });

  it("stock git verifies every audit commit, ssh-keygen the checkpoint, and both refuse the spec signers' file", async () => {
    const commits = (await specs.bareGit("rev-list", auditRef)).split("\n");
    const checkpoint = await specs.bareGit("cat-file", "blob", `${auditRef}:checkpoint`);
    const signature = join(specs.root, "checkpoint.sig");
    writeFileSync(signature, `${await specs.bareGit("cat-file", "blob", `${auditRef}:checkpoint.sig`)}\n`);
    const verifyCommits = (signers: string) =>
      commits.map((oid) => stock("git", ["-c", `gpg.ssh.allowedSignersFile=${signers}`, "verify-commit", oid]));
    const verifyCheckpoint = (signers: string) => {
      const who = ["-I", `audit@${testSite}`, "-n", "orrery-checkpoint"];
      return stock("ssh-keygen", ["-Y", "verify", "-f", signers, ...who, "-s", signature], `${checkpoint}\n`);
    };
    const specSigners = join(specs.work, "keys", "spec_signers");

    const good = [...verifyCommits(specs.auditSigners), verifyCheckpoint(specs.auditSigners)];
    const foreign = [...verifyCommits(specSigners), verifyCheckpoint(specSigners)];

    expect(commits.length).toBeGreaterThan(1);
    expect(good.map(({ status }) => status)).toEqual(good.map(() => 0));
    expect(good.every(({ text }) => text.includes(`Good "`))).toBe(true);
    expect(foreign.every(({ status }) => status !== 0)).toBe(true);
  });

  it.skipIf(!hasJq)(
    "the shell verifier, which shares no code with us, counts the same records (needs jq)",
    async () => {
      const verdict = stock("bash", [shellVerifier, specs.repository, specs.auditSigners]);
      const lines = await specs.recordLines();

      expect(verdict.text).toContain(`ok: ${String(lines.length)} records in`);
      expect(verdict.status).toBe(0);
    },
  );

  it("orrery audit verify agrees, in the shape that the issue gives, and says what it does not prove", async () => {
    const args = ["audit", "verify", "--repo", specs.repository, "--signers", specs.auditSigners];
    const lines = await specs.recordLines();

    const json = await orrery([...args, "-o", "json"]);
    const text = await orrery([...args, "--ref", auditRef]);

    const verdict = jsonOf(json) as Readonly<Record<string, unknown>>;
    expect(Object.keys(verdict).sort()).toEqual(["findings", "notProven", "ok", "records"]);
    expect(verdict).toMatchObject({ ok: true, records: lines.length, findings: [] });
    expect(verdict["notProven"]).not.toEqual([]);
    expect(json.exit).toBe(0);
    expect(text).toMatchObject({ exit: 0 });
    expect(text.stdout).toContain(`OK    ${auditRef}: ${String(lines.length)} records`);
  });

  it("no audit branch is exit 4, in every format", async () => {
    const args = ["audit", "verify", "--repo", specs.work, "--signers", specs.auditSigners];

    const results = await Promise.all([orrery(args), orrery([...args, "-o", "json"])]);

    expect(results.map(({ exit }) => exit)).toEqual([4, 4]);
    expect(results[0].stderr).toContain("AUDIT_NONE");
  });
});

function stock(
  file: string,
  args: readonly string[],
  input = "",
): { readonly status: number | null; readonly text: string } {
  const result = spawnSync(file, args, { cwd: specs.repository, env: gitEnvironment(), input, encoding: "utf8" });
  return { status: result.status, text: result.stdout + result.stderr };
}
