import type { Command } from "commander";
import { codes, type ExitCode, exitCodes } from "../../base/index.ts";
import { openRepository } from "../../git/index.ts";
import { printable } from "../../plan/index.ts";
import { resolveInClone } from "../place/clone-revision.ts";
import { specRootOf } from "../place/spec-place.ts";
import { type OutputFormat, outputOption } from "../place/target.ts";
import type { CliContext } from "../program.ts";
import { renderTable, type Terminal } from "../terminal.ts";
import { readTrust } from "../trust/repository-trust.ts";
import { ruleSubject, type TrustReport, trustReport } from "../trust/trust-rows.ts";
import { parseCount } from "./plan.ts";

interface ShowOptions {
  readonly repo: string;
  readonly at?: string;
  readonly signers?: string;
  readonly last: number;
  readonly output: OutputFormat;
}

/** `orrery trust show`: keys, groups, rules and the verdict on each commit, from the repository alone. */
export function addTrustCommand(program: Command, context: CliContext): void {
  const trust = program.command("trust").description("who may sign, change and approve what").exitOverride();
  trust
    .command("show")
    .description("keys, groups, rules, and whose commits stand; needs no daemon")
    .option("--at <rev>", "HEAD, branch, ref or commit (default: main)")
    .option("--repo <path>", "the spec repository", ".")
    .option("--signers <file>", "check the first commit with this file, as a site that pinned it does")
    .option("--last <n>", "how many verified commits are shown", parseCount, 20)
    .addOption(outputOption())
    .addHelpText("after", showHelp)
    .exitOverride()
    .action((options: ShowOptions) => {
      context.exit(show(options, context.terminal));
    });
}

const showHelp = `
Keys and rules are those of the newest verified commit: they judge the next one. The history is judged as a site would
that starts today; a running site began at its own first revision (its genesis record names it).
Exit 0 all verified, 1 a commit may not stand, 5 it waits for approval.`;

function show({ repo, at, signers, last, output }: ShowOptions, terminal: Terminal): ExitCode {
  using repository = openRepository(specRootOf(repo));
  const report = trustReport(readTrust(repository, resolveInClone(repository, at), signers), last);
  if (output === "json") terminal.print(JSON.stringify(report));
  else for (const line of linesOf(report)) terminal.print(line);
  return report.stalled === null ? exitCodes.ok : codes[report.stalled.code].exit;
}

function linesOf(report: TrustReport): readonly string[] {
  const { at, commits, merges, keys, rules, history, stalled } = report;
  return [
    `at ${at}: commits ${commits}, merges ${merges}`,
    "",
    renderTable(["key", "type", "principal", "limits"], keys.map(keyCells)),
    "",
    rules === null
      ? "no trust.paths: everyone may change everything"
      : renderTable(
          ["line", "match", "approvals", "by"],
          rules.map((rule) => [
            String(rule.line),
            printable(rule.match),
            String(rule.approvals),
            printable(ruleSubject(rule)),
          ]),
        ),
    "",
    renderTable(
      ["commit", "signer", "approved by"],
      history.map(({ commit, signer, approvers, warnings }) => [
        commit.slice(0, 12),
        printable(signer ?? `nobody (${warnings.join("; ")})`),
        printable(approvers.join(", ")),
      ]),
    ),
    ...(stalled === null
      ? []
      : [
          `${stalled.commit.slice(0, 12)}  ${codes[stalled.code].number} ${stalled.code} ${printable(stalled.message)}`,
        ]),
  ];
}

function keyCells({ key, type, principal, namespaces, validAfter, validBefore, forge }: TrustReport["keys"][number]) {
  const limits = [
    ...(forge ? ["forge"] : []),
    ...(namespaces === null ? [] : [`only ${namespaces}`]),
    ...(validAfter === null ? [] : [`from ${dayOf(validAfter)}`]),
    ...(validBefore === null ? [] : [`until ${dayOf(validBefore)}`]),
  ];
  return [key, type, printable(principal), printable(limits.join(", "))];
}

const dayOf = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);
