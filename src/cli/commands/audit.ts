import { readFileSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { codes, type ExitCode, exitCodes, Fault, type JsonObject } from "../../base/index.ts";
import { type GitRepository, openRepository, toOid } from "../../git/index.ts";
import {
  type AuditReport,
  auditHistory,
  createRecordCheck,
  type RecordCheck,
  verifyAudit,
} from "../../record/index.ts";
import { nodeTrustCrypto } from "../../signer/index.ts";
import { type OutputFormat, outputOption } from "../place/target.ts";
import type { CliContext } from "../program.ts";
import type { Terminal } from "../terminal.ts";
import { packageRoot } from "../version.ts";

interface VerifyOptions {
  readonly repo: string;
  readonly signers: string;
  readonly ref?: string;
  readonly witness?: string;
  readonly output: OutputFormat;
}

/** `orrery audit verify`: needs a repository and a signers file, no daemon and no database. */
export function addAuditCommand(program: Command, context: CliContext): void {
  const audit = program.command("audit").description("check the audit branch");
  audit
    .command("verify")
    .description("verify every record of an audit branch")
    .requiredOption("--repo <path>", "repository that holds the branch")
    .requiredOption("--signers <file>", "allowed_signers file of the recorder's keys, from a source that you trust")
    .option("--ref <ref>", "one branch; without it every refs/heads/audit/*")
    .option("--witness <file>", "a checkpoint that you kept, byte for byte")
    .addOption(outputOption())
    .exitOverride()
    .action((options: VerifyOptions) => {
      context.exit(verify(options, context.terminal));
    });
}

interface Verdict {
  readonly ref: string;
  readonly report: AuditReport;
}

function verify(options: VerifyOptions, terminal: Terminal): ExitCode {
  const signersText = readText(options.signers);
  const witness = options.witness === undefined ? null : readText(options.witness);
  using repository = openRepository(options.repo);
  const verdicts = branchesOf(repository, options.ref).map(
    ({ ref, oid }): Verdict => ({
      ref,
      report: verifyBranch(repository, oid, { signersText, witness, site: siteOf(ref) }),
    }),
  );
  if (options.output === "json") terminal.print(JSON.stringify(jsonOf(verdicts)));
  else for (const verdict of verdicts) terminal.print(renderVerdict(verdict));
  return verdicts.every(({ report }) => report.ok) ? exitCodes.ok : exitCodes.findings;
}

function branchesOf(
  repository: GitRepository,
  ref: string | undefined,
): readonly { readonly ref: string; readonly oid: string }[] {
  if (ref === undefined) {
    const all = repository.listRefs("refs/heads/audit/");
    if (all.length === 0) throw new Fault("AUDIT_NONE", `${repository.path} has no refs/heads/audit/*`);
    return all;
  }
  const oid = repository.readRef(ref);
  if (oid === null) throw new Fault("AUDIT_NONE", `${repository.path} has no ${ref}`);
  return [{ ref, oid }];
}

/** The site that the branch name claims; a branch of another name is judged by its own first checkpoint. */
const siteOf = (ref: string): string | null => /^refs\/heads\/audit\/([a-z0-9-]+)$/.exec(ref)?.[1] ?? null;

// Compiled once for any number of branches.
let check: RecordCheck | null = null;

/** Shared with the demo: judges one branch of an open repository. */
export function verifyBranch(
  repository: GitRepository,
  head: string,
  {
    signersText,
    witness,
    site,
  }: { readonly signersText: string; readonly witness: string | null; readonly site: string | null },
): AuditReport {
  const reader = {
    readCommit: (oid: string) => repository.readCommit(toOid(oid)),
    readTree: (oid: string) => repository.readTree(toOid(oid)),
    readBlob: (oid: string) => repository.readBlob(toOid(oid)),
  };
  check ??= createRecordCheck(
    JSON.parse(readText(path.join(packageRoot(), "schemas", "record.schema.json"))) as JsonObject,
  );
  const source = { ...reader, commits: auditHistory(reader, head) };
  return verifyAudit(source, { crypto: nodeTrustCrypto, signersText, check, site, witness });
}

/** `{ok, records, findings, notProven}` over all branches; a finding of several branches names its ref. */
function jsonOf(verdicts: readonly Verdict[]): object {
  const several = verdicts.length > 1;
  return {
    ok: verdicts.every(({ report }) => report.ok),
    records: verdicts.reduce((sum, { report }) => sum + report.records, 0),
    findings: verdicts.flatMap(({ ref, report }) =>
      report.findings.map((finding) => (several ? { ...finding, ref } : finding)),
    ),
    notProven: [...new Set(verdicts.flatMap(({ report }) => report.notProven))],
  };
}

export function renderVerdict({ ref, report }: Verdict): string {
  const facts = `${report.records} records, ${report.batches} signed batches, ${report.tenants.length} chains`;
  const findings = report.findings.map((finding) => {
    const record =
      finding.tenant === null ? "" : ` ${finding.tenant}${finding.seq === null ? "" : ` seq ${finding.seq}`}`;
    const place =
      finding.path === null ? "" : `\n      ${finding.path}${finding.line === null ? "" : `:${finding.line}`}`;
    return `  ${codes[finding.code].number} ${finding.code}${record}: ${finding.message}${place}`;
  });
  const verdict = report.ok ? `OK    ${ref}: ${facts}` : `BAD   ${ref}: ${report.findings.length} findings in ${facts}`;
  return [verdict, ...findings, ...report.notProven.map((sentence) => `  not proven: ${sentence}`)].join("\n");
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Fault("USAGE", `${file} cannot be read`, { cause: error });
  }
}
