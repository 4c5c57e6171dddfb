import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CliResult, jsonOf, orrery } from "../support/built-cli.ts";
import { startDaemonProcess } from "../support/daemon-process.ts";
import { gitEnvironment } from "../support/git-fixtures.ts";
import { auditRef, createSpecRepository, type RecordLine, type SpecRepository } from "../support/spec-repository.ts";
import { ForgedBranch } from "./forged-branch.ts";

const shellVerifier = fileURLToPath(new URL("../../docs/verify-audit.sh", import.meta.url));
const hasJq = spawnSync("jq", ["--version"]).status === 0;

interface Verdict {
  readonly ok: boolean;
  readonly records: number;
  readonly findings: readonly {
    readonly code: string;
    readonly tenant: string | null;
    readonly seq: number | null;
    readonly path: string | null;
    readonly line: number | null;
    readonly message: string;
  }[];
  readonly notProven: readonly string[];
}

let specs: SpecRepository;
/** The segment of tenant `example` that holds at least three records. */
let segment: string;
let firstSeq: number;
/** A checkpoint kept before the newest batch, and one after it. */
let older: string;
let newest: string;

beforeAll(async () => {
  specs = await createSpecRepository();
  await using daemon = await startDaemonProcess(specs.dataDir);
  const start = async (): Promise<string> =>
    (jsonOf(await daemon.cli("run", "example/hello", "--no-wait", "-o", "json")) as { readonly runId: string }).runId;
  await specs.recorded((record) => record.kind === "reconcile" && record.tenant === "example");
  const runs = await Promise.all([start(), start(), start()]);
  const records = await Promise.all(runs.map((runId) => specs.recorded((record) => record.runId === runId)));
  older = await keep("older");
  firstSeq = Math.min(...records.map(({ seq }) => seq));
  segment = (await specs.bareGit("ls-tree", "-r", "--name-only", auditRef, "records/example"))
    .split("\n")
    .filter((path) => Number(/(\d+)\.ndjson$/u.exec(path)?.[1]) <= firstSeq)
    .at(-1)!;
  const last = await start();
  await specs.recorded((record) => record.runId === last);
  newest = await keep("newest");
});

afterAll(() => specs[Symbol.dispose]());

async function keep(name: string): Promise<string> {
  const file = join(specs.root, `${name}.checkpoint`);
  writeFileSync(file, `${await specs.bareGit("cat-file", "blob", `${auditRef}:checkpoint`)}\n`);
  return file;
}

function verify(repository: string, ...more: readonly string[]): Promise<CliResult> {
  return orrery(["audit", "verify", "--repo", repository, "--signers", specs.auditSigners, "-o", "json", ...more]);
}

function shell(repository: string): { readonly exit: number | null; readonly text: string } {
  const args = [shellVerifier, repository, specs.auditSigners];
  const { status, stdout, stderr } = spawnSync("bash", args, { env: gitEnvironment(), encoding: "utf8" });
  return { exit: status, text: stdout + stderr };
}

type Edit = (lines: readonly string[]) => readonly string[];

// Records 1 and 2 of the segment, counted from 0: in the middle of a batch, and never the first of a file.
const changeOneByte: Edit = (lines) =>
  lines.map((line, at) => (at === 1 ? line.replace(`"attempt":1`, `"attempt":2`) : line));
const deleteOne: Edit = (lines) => lines.filter((_, at) => at !== 1);
const swapTwo: Edit = ([first = "", second = "", third = "", ...rest]) => [first, third, second, ...rest];

const attacks: readonly {
  readonly name: string;
  readonly edit: Edit;
  readonly code: string;
  readonly at: number;
  readonly shell: RegExp;
}[] = [
  {
    name: "one byte changed",
    edit: changeOneByte,
    code: "AUDIT_TAMPERED",
    at: 1,
    shell: /^TAMPERED example (\d+): /mu,
  },
  { name: "one record deleted", edit: deleteOne, code: "AUDIT_GAP", at: 1, shell: /^GAP example (\d+): missing$/mu },
  { name: "two records swapped", edit: swapTwo, code: "AUDIT_ORDER", at: 2, shell: /^ORDER example (\d+): /mu },
];

describe("forged with stock git in a copy, old signatures kept", () => {
  it.each(attacks)(
    "$name: found under its own code, tenant and seq named, exit 1",
    async ({ name, edit, code, at }) => {
      const forged = new ForgedBranch(specs.repository, specs.root, name.replaceAll(" ", "-"));
      forged.rewriteFile(segment, edit(forged.lines(segment)));

      const result = await verify(forged.repository);

      const { ok, findings } = jsonOf(result) as Verdict;
      const others = attacks.map((attack) => attack.code).filter((each) => each !== code);
      expect({ ok, exit: result.exit }).toEqual({ ok: false, exit: 1 });
      expect(findings).toContainEqual(
        expect.objectContaining({ code, tenant: "example", seq: firstSeq + at, path: segment }),
      );
      expect(findings.map((finding) => finding.code)).toContain("AUDIT_SIGNATURE");
      expect(findings.filter((finding) => others.includes(finding.code))).toEqual([]);
    },
  );

  it.skipIf(!hasJq).each(attacks)(
    "$name: the shell verifier names the same record (needs jq)",
    ({ name, edit, at, shell: finds }) => {
      const forged = new ForgedBranch(specs.repository, specs.root, `shell-${name.replaceAll(" ", "-")}`);
      forged.rewriteFile(segment, edit(forged.lines(segment)));

      const { exit, text } = shell(forged.repository);

      expect(exit).toBe(1);
      expect(Number(finds.exec(text)?.[1])).toBe(firstSeq + at);
      expect(text).toMatch(/^SIGNATURE commit 2 /mu);
    },
  );
});

describe("the newest commits cut off", () => {
  it("is found against a checkpoint that was kept, and only then", async () => {
    const forged = new ForgedBranch(specs.repository, specs.root, "cut");
    forged.moveTo(`${auditRef}~1`);

    const [alone, kept, olderKept] = await Promise.all([
      verify(forged.repository),
      verify(forged.repository, "--witness", newest),
      verify(forged.repository, "--witness", older),
    ]);

    const size = Number(readFileSync(newest, "utf8").split("\n")[1]);
    const { ok, findings, records } = jsonOf(kept) as Verdict;
    expect(alone.exit).toBe(0);
    expect((jsonOf(alone) as Verdict).notProven.join()).toMatch(/cut off|newest/u);
    expect({ exit: kept.exit, ok, codes: findings.map(({ code }) => code) }).toEqual({
      exit: 1,
      ok: false,
      codes: ["AUDIT_TRUNCATED"],
    });
    expect(findings[0]?.message).toContain(
      `ends at ${String(records)} records, the kept checkpoint counts ${String(size)}`,
    );
    expect(olderKept.exit).toBe(0);
  });

  it("the whole branch stands up to both checkpoints", async () => {
    const results = await Promise.all([older, newest].map((file) => verify(specs.repository, "--witness", file)));

    expect(results.map(({ exit }) => exit)).toEqual([0, 0]);
  });

  it("a witness of one byte more is no witness of this branch", async () => {
    const file = join(specs.root, "changed.checkpoint");
    writeFileSync(file, readFileSync(newest, "utf8").replace(/\n([A-Za-z0-9+/])/u, "\n1$1"));

    const result = await verify(specs.repository, "--witness", file);

    expect(result.exit).toBe(1);
    expect((jsonOf(result) as Verdict).findings.map(({ code }) => code)).toEqual(["AUDIT_TRUNCATED"]);
  });
});

describe("a record committed by a spec signer", () => {
  const forge = (name: string, disguised: boolean): { readonly forged: ForgedBranch; readonly seq: number } => {
    const forged = new ForgedBranch(specs.repository, specs.root, name);
    const paths = forged.git(["ls-tree", "-r", "--name-only", auditRef, "records/example"]).split("\n");
    const path = paths.at(-1) ?? "";
    const last = forged.lines(path).at(-1) ?? "";
    const { seq } = JSON.parse(last) as RecordLine;
    const prev = createHash("sha256").update(last).digest("hex");
    const line = last
      .replace(`"seq":${String(seq)}`, `"seq":${String(seq + 1)}`)
      .replace(/"prev":"[0-9a-f]+"/u, `"prev":"${prev}"`);
    const next = `${String(seq + 1).padStart(12, "0")}.ndjson`;
    forged.commitOnTop(path.replace(/\d{12}\.ndjson$/u, next), [line], { key: specs.personKey, disguised });
    return { forged, seq: seq + 1 };
  };

  it.each([
    { whose: "her own", disguised: false },
    { whose: "the recorder's", disguised: true },
  ])(
    "under $whose name is found as another signer's, tenant and seq named, though its chain fits",
    async ({ disguised }) => {
      const { forged, seq } = forge(`spec-signer-${String(disguised)}`, disguised);

      const result = await verify(forged.repository);

      const { findings } = jsonOf(result) as Verdict;
      expect(result.exit).toBe(1);
      expect(findings).toContainEqual(expect.objectContaining({ code: "AUDIT_SIGNER", tenant: "example", seq }));
      expect(findings.map(({ code }) => code)).not.toContain("AUDIT_SIGNATURE");
    },
  );

  it.skipIf(!hasJq)("is found by the shell verifier too (needs jq)", () => {
    const { forged } = forge("spec-signer-shell", true);

    const { exit, text } = shell(forged.repository);

    expect(exit).toBe(1);
    expect(text).toMatch(/^SIGNER commit \d+ [0-9a-f]{40}: not signed by audit@local$/mu);
  });
});
