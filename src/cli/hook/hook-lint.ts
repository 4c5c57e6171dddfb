import { type ExitCode, exitCodes, systemClock } from "../../base/index.ts";
import { readEnvironment } from "../../config/index.ts";
import { type GitRepository, type Oid, openRepository, toOid } from "../../git/index.ts";
import { lintRevision } from "../../reconciler/index.ts";
import { isGrave, renderFinding, summaryOf } from "../finding-view.ts";
import { withCompute } from "../one-compute.ts";
import type { Terminal } from "../terminal.ts";
import { askGit } from "./hooks-folder.ts";

/** git's name of no object: the ref is made, or goes. */
const nothing = /^0+$/;

/**
 * Of an `update` hook: whether the commit that a ref is to become lints. Objects of the push are read where git keeps them
 * until it is accepted. A ref that goes has nothing to lint.
 */
export async function lintUpdate(repository: string, next: string, terminal: Terminal): Promise<ExitCode> {
  if (nothing.test(next)) return exitCodes.ok;
  using opened = openRepository(repository, readEnvironment().gitHook);
  return await lintTree(opened, opened.readCommit(toOid(next)).tree, { what: `commit ${next.slice(0, 12)}`, terminal });
}

/** Of a `pre-commit` hook: whether what is about to be committed lints, not what else lies in the work tree. */
export async function lintIndex(repository: string, terminal: Terminal): Promise<ExitCode> {
  const { gitHook } = readEnvironment();
  const tree = askGit(repository, ["write-tree"], gitHook.pass).trim();
  using opened = openRepository(repository, gitHook);
  return await lintTree(opened, toOid(tree), { what: "what is about to be committed", terminal });
}

interface Lint {
  readonly what: string;
  readonly terminal: Terminal;
}

async function lintTree(repository: GitRepository, tree: Oid, { what, terminal }: Lint): Promise<ExitCode> {
  const source = { ...repository, readCommit: () => ({ tree }) };
  const { findings, documents } = await withCompute((compute) =>
    lintRevision({ source, compute, now: systemClock.now() }, tree, new AbortController().signal),
  );
  const grave = findings.filter(isGrave);
  if (grave.length === 0) return exitCodes.ok;
  const readText = (path: string): string | null => {
    const entry = repository.entryAt(tree, path);
    return entry?.kind === "blob" && entry.defect === null ? repository.readBlob(entry.oid).toString("utf8") : null;
  };
  for (const finding of grave) terminal.note(`${renderFinding(finding, readText)}\n`);
  terminal.note(`orrery refuses ${what}: ${summaryOf(grave, documents)}`);
  return exitCodes.findings;
}
