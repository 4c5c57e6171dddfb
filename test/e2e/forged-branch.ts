import { cpSync } from "node:fs";
import { join } from "node:path";
import { stockGit } from "../support/git-fixtures.ts";
import { auditRef } from "../support/spec-repository.ts";

/** A copy of a repository whose audit branch somebody may change with nothing but stock git. */
export class ForgedBranch {
  readonly repository: string;

  constructor(original: string, folder: string, name: string) {
    this.repository = join(folder, `${name}.git`);
    cpSync(original, this.repository, { recursive: true });
  }

  git(args: readonly string[], input?: string, env: Readonly<Record<string, string>> = {}): string {
    return stockGit(this.repository, args, { ...(input === undefined ? {} : { input }), env });
  }

  /** Lines of a file of the branch. */
  lines(path: string): readonly string[] {
    return this.git(["cat-file", "blob", `${auditRef}:${path}`]).split("\n");
  }

  /** One file changed in every commit that has it, as if it had always stood so; the old signatures stay in place. */
  rewriteFile(path: string, lines: readonly string[]): void {
    const blob = this.git(["hash-object", "-w", "--stdin"], `${lines.join("\n")}\n`);
    let parent = "";
    for (const commit of this.git(["rev-list", "--reverse", auditRef]).split("\n")) {
      const tree = this.#has(commit, path)
        ? this.#treeWith(commit, path, blob)
        : this.git(["rev-parse", `${commit}^{tree}`]);
      const text = this.git(["cat-file", "commit", commit])
        .replace(/^tree .*/u, `tree ${tree}`)
        .replace(/^parent .*/mu, `parent ${parent}`);
      parent = this.git(["hash-object", "-t", "commit", "-w", "--stdin"], `${text}\n`);
    }
    this.moveTo(parent);
  }

  /** One more commit on top, signed with `key` by stock git; `disguised` under the name of the commit below it. */
  commitOnTop(
    path: string,
    lines: readonly string[],
    { key, disguised }: { readonly key: string; readonly disguised: boolean },
  ): void {
    const blob = this.git(["hash-object", "-w", "--stdin"], `${lines.join("\n")}\n`);
    const tree = this.#treeWith(auditRef, path, blob);
    const signing = ["-c", "gpg.format=ssh", "-c", `user.signingkey=${key}`];
    const [name = "", email = ""] = this.git(["log", "-1", "--format=%an%n%ae", auditRef]).split("\n");
    const ident = ["AUTHOR", "COMMITTER"].flatMap((who) => [
      [`GIT_${who}_NAME`, name],
      [`GIT_${who}_EMAIL`, email],
    ]);
    const commit = [...signing, "commit-tree", tree, "-S", "-p", auditRef, "-m", "one more record"];
    this.moveTo(this.git(commit, undefined, disguised ? (Object.fromEntries(ident) as Record<string, string>) : {}));
  }

  moveTo(commit: string): void {
    this.git(["update-ref", auditRef, commit]);
  }

  #has(commit: string, path: string): boolean {
    return this.git(["ls-tree", commit, path]) !== "";
  }

  #treeWith(commit: string, path: string, blob: string): string {
    const env = { GIT_INDEX_FILE: join(this.repository, "forger.index") };
    this.git(["read-tree", commit], undefined, env);
    this.git(["update-index", "--add", "--cacheinfo", `100644,${blob},${path}`], undefined, env);
    return this.git(["write-tree"], undefined, env);
  }
}
