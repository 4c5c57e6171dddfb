import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type AuditBranch,
  editLines,
  type FileEdit,
  type ForgedSignature,
  signersTextOf,
  specKey,
  threeBatches,
} from "../../support/audit-fixtures.ts";
import { gitEnvironment, type ScratchDir, scratchDir, stockRepository } from "../../support/git-fixtures.ts";
import { verdictOn } from "../../support/recorder-setup.ts";

const script = fileURLToPath(new URL("../../../docs/verify-audit.sh", import.meta.url));
const hasJq = spawnSync("jq", ["--version"]).status === 0;

let scratch: ScratchDir;
let dir: string;
let signers: string;

beforeEach(() => {
  scratch = scratchDir();
  dir = stockRepository(scratch.join("repo"), { bare: true });
  signers = scratch.join("signers");
  writeFileSync(signers, signersTextOf("hq"));
});
afterEach(() => scratch[Symbol.dispose]());

function shellVerdict(branch: AuditBranch): { readonly exit: number | null; readonly text: string } {
  branch.writeTo(dir);
  const run = spawnSync("bash", [script, dir, signers], { env: gitEnvironment(), encoding: "utf8" });
  return { exit: run.status, text: run.stdout + run.stderr };
}

describe.skipIf(!hasJq)("docs/verify-audit.sh, which shares no code with us (needs jq)", () => {
  it("agrees that a branch of the recorder is whole", () => {
    const verdict = shellVerdict(threeBatches());

    expect(verdict).toMatchObject({ exit: 0 });
    expect(verdict.text).toMatch(/^ok: 15 records in 3 commits of refs\/heads\/audit\/hq, head [0-9a-f]{40}\n$/);
    expect(verdictOn(dir).ok).toBe(true);
  });

  const changed = editLines("acme", 3, (lines, at) =>
    lines.map((line, n) => (n === at ? line.replace(`"runNo":2`, `"runNo":7`) : line)),
  );
  const removed = editLines("acme", 3, (lines, at) => lines.filter((_, n) => n !== at));
  const swapped = editLines("acme", 3, (lines, at) => [
    ...lines.slice(0, at),
    ...lines.slice(at + 1, at + 2),
    ...lines.slice(at, at + 1),
    ...lines.slice(at + 2),
  ]);
  const attacks: readonly (readonly [string, FileEdit, ForgedSignature, RegExp, string])[] = [
    ["one byte changed", changed, "none", /^TAMPERED acme 3: /m, "AUDIT_TAMPERED"],
    ["one byte changed, signatures kept", changed, "kept", /^SIGNATURE commit 1 /m, "AUDIT_SIGNATURE"],
    ["one record deleted", removed, "none", /^GAP acme 3: missing$/m, "AUDIT_GAP"],
    ["two records swapped", swapped, "none", /^ORDER acme 4: /m, "AUDIT_ORDER"],
    ["all signed again with a spec signer's key", changed, specKey, /^SIGNER commit 1 /m, "AUDIT_SIGNER"],
  ];

  it.each(attacks.map(([name, edit, signature, finds, code]) => ({ name, edit, signature, finds, code })))(
    "names the same as our verifier: $name",
    ({ edit, signature, finds, code }) => {
      const branch = threeBatches();
      branch.rewriteHistory(1, edit, signature);

      const verdict = shellVerdict(branch);

      expect(verdict.exit).toBe(1);
      expect(verdict.text).toMatch(finds);
      expect(verdictOn(dir).findings.map((finding) => finding.code)).toContain(code);
    },
  );

  it("names a segment that a commit on top rewrites", () => {
    const branch = threeBatches();
    branch.commitOnTop(changed, specKey);

    const verdict = shellVerdict(branch);

    expect(verdict.exit).toBe(1);
    expect(verdict.text).toMatch(
      /^REWRITTEN commit 4 [0-9a-f]{40}: M\trecords\/acme\/|^REWRITTEN commit 4 [0-9a-f]{40}: M records\/acme\//m,
    );
  });
});
