import { inSlices, type Steps } from "../../base/index.ts";
import { sha256 } from "../../base/node-digest.ts";
import type { Compute, DecodedSpec } from "../../compute/index.ts";
import type { Oid } from "../../git/index.ts";
import { assembleSteps, type FindingRule, findingRule, type TenantInput } from "../../plan/index.ts";
import { classifyPath, type Finding, sortFindings } from "../../spec/index.ts";
import { DesiredReader, type SpecSource } from "../read/desired-reader.ts";
import { clockFindings } from "./clock-findings.ts";
import { fileFindings } from "./file-findings.ts";
import { readAhead } from "./read-ahead.ts";
import { signersFindings } from "./signers-findings.ts";
import { trustFindings } from "./trust-findings.ts";

/** A finding with the line of the repository that refused; null = a rule of the language itself. */
export interface LintFinding extends Finding {
  readonly rule: FindingRule | null;
}

export interface LintReport {
  /** How many files are documents, or look like one. */
  readonly documents: number;
  /** All findings of all documents, each once, by (path, line, col, code). */
  readonly findings: readonly LintFinding[];
}

export interface LintDeps {
  readonly source: SpecSource;
  readonly compute: Pick<Compute, "decode">;
  /** From when on schedules are followed through the changes of their clock; absent = they are not. */
  readonly now?: Date;
}

/**
 * Judges every document of a revision as a daemon would, whichever site or tenant reads it; besides looks where schedules
 * meet a change of the clock, and for secrets within files/. Needs nothing applied.
 */
export async function lintRevision(deps: LintDeps, revision: Oid, signal: AbortSignal): Promise<LintReport> {
  const { source, now } = deps;
  const reader = new DesiredReader(source, deps.compute);
  const findings: LintFinding[] = [];
  // Each tenant is judged while the threads decode the next one.
  const tenants = readAhead(reader.allTenants(revision), (tenant) => reader.readParts(revision, tenant, signal));
  for await (const [tenant, { input, blobs }] of tenants) {
    const found = await inSlices(tenantFindings(input), signal);
    findings.push(...found.map((finding) => ({ ...finding, rule: findingRule(finding, input) })));
    const read = (digest: string): Buffer | null => {
      const oid = blobs.get(digest);
      return oid === undefined ? null : source.readBlob(oid);
    };
    findings.push(...fileFindings(tenant, input.files, read).map(byLanguage));
  }
  const documents = await reader.allDocuments(revision, signal);
  findings.push(...[...documents.values()].flatMap(findingsOf).map(byLanguage));
  if (now !== undefined) findings.push(...clockFindings(documents.values(), now).map(byLanguage));
  findings.push(...signersFindings(source, revision).map(byLanguage));
  if (now !== undefined) findings.push(...trustFindings(source, revision, now).map(byLanguage));
  return { documents: documents.size, findings: eachOnce(findings) };
}

const byLanguage = (finding: Finding): LintFinding => ({ ...finding, rule: null });

const findingsOf = (decoded: DecodedSpec): readonly Finding[] => (decoded.ok ? decoded.warnings : decoded.findings);

function* tenantFindings(input: TenantInput): Steps<readonly Finding[]> {
  const desired = yield* assembleSteps(input, sha256);
  if (desired.kind === "readable") return [...desired.findings, ...desired.dags.flatMap((dag) => dag.findings)];
  // One broken quota must not hide what is wrong in twenty DAGs; what it would grant is not known, so nothing is denied.
  const readable = [...input.documents].filter(([path, decoded]) => decoded.ok || classifyPath(path)?.kind === "Dag");
  const rest = yield* assembleSteps({ ...input, documents: new Map(readable) }, sha256);
  const others = rest.kind === "readable" ? rest.dags.flatMap((dag) => dag.findings) : [];
  return [...desired.findings, ...others.filter(({ severity }) => severity !== "denied")];
}

function eachOnce(findings: readonly LintFinding[]): readonly LintFinding[] {
  const seen = new Map<string, LintFinding>();
  for (const finding of findings) {
    const { rule, ...said } = finding;
    const key = JSON.stringify(said);
    // One document is judged alone and within its tenant: the tenant knows the rule.
    if (rule !== null || !seen.has(key)) seen.set(key, finding);
  }
  const known = new Map<Finding, LintFinding>([...seen.values()].map((finding) => [finding, finding]));
  return sortFindings([...known.keys()]).flatMap((finding) => known.get(finding) ?? []);
}
