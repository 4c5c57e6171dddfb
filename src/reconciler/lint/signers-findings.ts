import type { Oid } from "../../git/index.ts";
import type { Finding } from "../../spec/index.ts";
import { parseAllowedSigners } from "../../trust/index.ts";
import type { SpecSource } from "../read/desired-reader.ts";

const signersPath = "keys/spec_signers";

/** What is wrong with keys/spec_signers. */
export function signersFindings(source: SpecSource, revision: Oid): readonly Finding[] {
  const entry = source.entryAt(source.readCommit(revision).tree, signersPath);
  const finding = (severity: Finding["severity"], line: number, message: string, fix: string): Finding => ({
    ...{ code: "TRUST_SIGNERS_FILE", severity, path: signersPath, line, col: Math.min(line, 1) },
    ...{ pointer: "", message, fix },
  });
  if (entry === null)
    return [finding("warning", 0, "not there: no commit of this tree could be verified", "Add who may sign commits.")];
  if (entry.kind !== "blob" || entry.defect !== null)
    return [finding("error", 0, "is no regular file", "Replace it by a regular file.")];
  const { findings } = parseAllowedSigners(source.readBlob(entry.oid).toString("utf8"));
  return findings.map(({ line, message }) =>
    finding("error", line, message, "Write it as ssh-keygen(1), ALLOWED SIGNERS, says."),
  );
}
