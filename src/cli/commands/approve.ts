import type { Command } from "commander";
import { type ExitCode, exitCodes } from "../../base/index.ts";
import { openRepository } from "../../git/index.ts";
import { printable } from "../../plan/index.ts";
import { nodeTrustCrypto } from "../../signer/index.ts";
import { fingerprintOf, maxReasonChars } from "../../trust/index.ts";
import { resolveInClone } from "../place/clone-revision.ts";
import { specRootOf } from "../place/spec-place.ts";
import { type OutputFormat, outputOption } from "../place/target.ts";
import type { CliContext } from "../program.ts";
import { renderTable, type Terminal, usage } from "../terminal.ts";
import { approvalBase } from "../trust/approval-base.ts";
import { type ApprovalRow, approvalRows } from "../trust/approval-rows.ts";
import { findApproverKey } from "../trust/approver-key.ts";
import { readTrust } from "../trust/repository-trust.ts";
import { planHashBetween, writeApproval } from "../trust/write-approval.ts";

interface PlaceOptions {
  readonly repo: string;
  readonly ref?: string;
  readonly output: OutputFormat;
}

interface ApproveOptions extends PlaceOptions {
  readonly message?: string;
  readonly reject?: boolean;
  readonly key?: string;
  readonly base?: string;
}

/** `orrery approve REV`, `orrery approve list [REV]`: approvals are refs of the repository; no daemon is asked. */
export function addApproveCommand(program: Command, context: CliContext): void {
  program
    .command("approve")
    .description("sign that a change may go in, or may not; `approve list [REV]` shows what was signed")
    .argument("<rev>", "the commit to approve, as HEAD, origin/main, a branch or an id; or `list`")
    .argument("[list-rev]", "after `list`: only those of this commit")
    .option("-m, --message <reason>", "why; the record carries who and what, the approval why")
    .option("--reject", "say no: it stops the change until the ref is removed")
    .option("--key <file>", "your private key, or the .pub file of one that ssh-agent holds")
    .option("--base <rev>", "approve from here (default: where the branch is verified up to, or where REV left it)")
    .option("--repo <path>", "the spec repository, or a clone of it", ".")
    .option("--ref <ref>", "the branch that it goes into (default: main)")
    .addOption(outputOption())
    .addHelpText("after", approveHelp)
    .action(async (rev: string, listRev: string | undefined, options: ApproveOptions) => {
      if (rev === "list") context.exit(list(listRev, options, context.terminal));
      else if (listRev === undefined) await approve(rev, options, context.terminal);
      else throw usage("approve takes one REV");
    });
}

const approveHelp = `
Signs {planHash, base, head, verdict, reason} into refs/orrery/approvals/<head>/<sha256>. It counts for base..head when
head itself lands, or for the first commit after base that makes the very change, as a merge or a squash does. The
approver must be of the rule's group, and neither author, committer nor signer of one of these commits.
list: exit 5 where the branch waits for an approval.`;

async function approve(rev: string, options: ApproveOptions, terminal: Terminal): Promise<void> {
  const { reject = false, key, base: wanted, repo, ref, output } = options;
  const reason = reasonOf(options);
  const root = specRootOf(repo);
  using repository = openRepository(root);
  const trust = readTrust(repository, resolveInClone(repository, ref), undefined);
  const head = resolveInClone(repository, rev);
  const base = wanted === undefined ? approvalBase(repository, trust, head) : resolveInClone(repository, wanted);
  const planHash = planHashBetween(repository, trust.reader, base, head);
  const verdict = reject ? "reject" : "approve";
  const sign = await findApproverKey(key, root);
  const written = await writeApproval(repository, { planHash, base, head, verdict, reason }, sign);
  const fingerprint = fingerprintOf(written.blob, nodeTrustCrypto.sha256);
  if (output === "json") terminal.print(JSON.stringify({ ...written.statement, ref: written.ref, key: fingerprint }));
  else
    terminal.print(`${reject ? "rejected" : "approved"} ${base.slice(0, 12)}..${head.slice(0, 12)} plan ${planHash}`);
  const [row] = approvalRows(repository, readTrust(repository, trust.head, undefined), head).filter(({ sha256 }) =>
    written.ref.endsWith(sha256),
  );
  if (row?.defect != null) terminal.note(`as things stand it counts for nothing: ${printable(row.defect)}`);
  terminal.note(`where this is a clone: git push origin ${written.ref}`);
}

function reasonOf({ message }: ApproveOptions): string {
  if (message === undefined || message.trim() === "") throw usage("why? -m REASON");
  if (message.length <= maxReasonChars && message.isWellFormed() && !message.includes("\u0000")) return message;
  throw usage(`a reason has at most ${String(maxReasonChars)} characters of text`);
}

function list(rev: string | undefined, { repo, ref, output }: PlaceOptions, terminal: Terminal): ExitCode {
  using repository = openRepository(specRootOf(repo));
  const trust = readTrust(repository, resolveInClone(repository, ref), undefined);
  const rows = approvalRows(repository, trust, rev === undefined ? null : resolveInClone(repository, rev));
  const waits = trust.walk.stalled?.code === "APPROVALS_MISSING" ? trust.walk.stalled : null;
  if (output === "json") terminal.print(JSON.stringify({ approvals: rows, waiting: waits }));
  else if (rows.length === 0) terminal.print("no approvals");
  else terminal.print(renderTable(["head", "verdict", "by", "base", "reason"], rows.map(cellsOf)));
  if (waits === null) return exitCodes.ok;
  terminal.note(`waits: ${printable(waits.message)}`);
  return exitCodes.waiting;
}

const cellsOf = ({ head, verdict, approver, base, reason, defect }: ApprovalRow): readonly string[] => [
  head.slice(0, 12),
  defect === null ? (verdict ?? "") : "void",
  printable(approver ?? ""),
  (base ?? "").slice(0, 12),
  printable(defect ?? reason ?? ""),
];
