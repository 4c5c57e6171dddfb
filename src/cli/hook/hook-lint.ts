import { type ExitCode, exitCodes, systemClock } from "../../base/index.ts";
import { readEnvironment } from "../../config/index.ts";
import { type GitRepository, type Oid, openRepository, toOid } from "../../git/index.ts";
import { type LintReport, lintRevision } from "../../reconciler/index.ts";
import { isGrave, renderFinding, summaryOf } from "../finding-view.ts";
import { withCompute } from "../one-compute.ts";
import type { Terminal } from "../terminal.ts";
import { freshFindings } from "./fresh-findings.ts";
import { askGit } from "./hooks-folder.ts";

/** git's name of no object: the ref is made, or goes. */
const nothing = /^0+$/;

export interface RefChange {
  /** Object ids as git gives them to its hooks. */
  readonly old: string;
  readonly next: string;
}

/**
 * Of an `update` hook: whether the commit that a ref is to become lints no worse than the one that it is. Objects of the
 * push are read where git keeps them until it is accepted. A ref that goes has nothing to lint, of a new one all counts.
 */
export async function lintUpdate(repository: string, change: RefChange, terminal: Terminal): Promise<ExitCode> {
  if (nothing.test(change.next)) return exitCodes.ok;
  using opened = openRepository(repository, readEnvironment().gitHook);
  const { tree } = opened.readCommit(toOid(change.next));
  const before = nothing.test(change.old) ? null : opened.readCommit(toOid(change.old)).tree;
  return await lintChange(opened, { before, after: tree }, { what: `commit ${change.next.slice(0, 12)}`, terminal });
}

/**
 * Of a `pre-commit` hook: whether what is about to be committed lints no worse than HEAD, not what else lies in the work
 * tree. An amended commit is HEAD itself.
 */
export async function lintIndex(repository: string, terminal: Terminal): Promise<ExitCode> {
  const { gitHook } = readEnvironment();
  const after = toOid(askGit(repository, ["write-tree"], gitHook.pass).trim());
  using opened = openRepository(repository, gitHook);
  const head = opened.readRef("HEAD");
  const before = head === null ? null : opened.readCommit(head).tree;
  return await lintChange(opened, { before, after }, { what: "what is about to be committed", terminal });
}

interface TreeChange {
  /** null = there was none: everything is new. */
  readonly before: Oid | null;
  readonly after: Oid;
}

interface Lint {
  readonly what: string;
  readonly terminal: Terminal;
}

async function lintChange(repository: GitRepository, change: TreeChange, { what, terminal }: Lint): Promise<ExitCode> {
  const { report, fresh } = await judged(repository, change);
  const standing = report.findings.filter(isGrave).filter((finding) => !fresh.includes(finding));
  const stands = `stood before, orrery lint shows it: ${summaryOf(standing, report.documents)}`;
  if (fresh.length === 0) {
    if (standing.length > 0) terminal.note(`orrery lets ${what} pass; ${stands}`);
    return exitCodes.ok;
  }
  const readText = (path: string): string | null => {
    const entry = repository.entryAt(change.after, path);
    return entry?.kind === "blob" && entry.defect === null ? repository.readBlob(entry.oid).toString("utf8") : null;
  };
  for (const finding of fresh) terminal.note(`${renderFinding(finding, readText)}\n`);
  terminal.note(`orrery refuses ${what}: ${summaryOf(fresh, report.documents)}`);
  if (standing.length > 0) terminal.note(`not counted, for it ${stands}`);
  return exitCodes.findings;
}

interface Judged {
  readonly report: LintReport;
  /** Errors and denials that the change brings. */
  readonly fresh: LintReport["findings"];
}

/** The tree of before is judged only where there is something to compare. */
async function judged(repository: GitRepository, { before, after }: TreeChange): Promise<Judged> {
  const now = systemClock.now();
  return await withCompute(async (compute) => {
    const lint = (tree: Oid): Promise<LintReport> => {
      const source = { ...repository, readCommit: () => ({ tree }) };
      return lintRevision({ source, compute, now }, tree, new AbortController().signal);
    };
    const report = await lint(after);
    const grave = report.findings.filter(isGrave);
    if (grave.length === 0 || before === null) return { report, fresh: grave };
    return { report, fresh: freshFindings((await lint(before)).findings.filter(isGrave), grave) };
  });
}
