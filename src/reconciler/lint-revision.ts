import { sha256 } from "../base/node-digest.ts";
import type { Compute, DecodedSpec } from "../compute/index.ts";
import type { Oid } from "../git/index.ts";
import { assembleTenant, type TenantInput } from "../plan/index.ts";
import { classifyPath, type Finding, sortFindings } from "../spec/index.ts";
import { parseAllowedSigners } from "../trust/index.ts";
import { DesiredReader, type SpecSource } from "./desired-reader.ts";

export interface LintReport {
  /** How many files are documents, or look like one. */
  readonly documents: number;
  /** All findings of all documents, each once, by (path, line, col, code). */
  readonly findings: readonly Finding[];
}

export interface LintDeps {
  readonly source: SpecSource;
  readonly compute: Pick<Compute, "decode">;
}

const signersPath = "keys/spec_signers";

/** Judges every document of a revision as a daemon would, whichever site or tenant reads it. Needs nothing applied. */
export async function lintRevision(deps: LintDeps, revision: Oid, signal: AbortSignal): Promise<LintReport> {
  const reader = new DesiredReader(deps.source, deps.compute);
  const documents = await reader.allDocuments(revision, signal);
  const findings = [...documents.values()].flatMap(findingsOf);
  for (const tenant of reader.allTenants(revision)) {
    const { input } = await reader.readParts(revision, tenant, signal);
    findings.push(...tenantFindings(input));
  }
  findings.push(...signersFindings(deps.source, revision));
  return { documents: documents.size, findings: eachOnce(findings) };
}

const findingsOf = (decoded: DecodedSpec): readonly Finding[] => (decoded.ok ? decoded.warnings : decoded.findings);

function tenantFindings(input: TenantInput): readonly Finding[] {
  const desired = assembleTenant(input, sha256);
  if (desired.kind === "readable") return [...desired.findings, ...desired.dags.flatMap((dag) => dag.findings)];
  // One broken quota must not hide what is wrong in twenty DAGs; what it would grant is not known, so nothing is denied.
  const readable = [...input.documents].filter(([path, decoded]) => decoded.ok || classifyPath(path)?.kind === "Dag");
  const rest = assembleTenant({ ...input, documents: new Map(readable) }, sha256);
  const others = rest.kind === "readable" ? rest.dags.flatMap((dag) => dag.findings) : [];
  return [...desired.findings, ...others.filter(({ severity }) => severity !== "denied")];
}

function signersFindings(source: SpecSource, revision: Oid): readonly Finding[] {
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

function eachOnce(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Map(findings.map((finding) => [JSON.stringify(finding), finding]));
  // sortFindings orders within a document; a stable sort keeps that.
  return [...sortFindings([...seen.values()])].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}
