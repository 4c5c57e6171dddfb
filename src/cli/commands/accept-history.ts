import type { Command } from "commander";
import { loadConfig, readEnvironment } from "../../config/index.ts";
import { openRepository } from "../../git/index.ts";
import { resolveRevision } from "../place/revision.ts";
import { clientFor, dataDirFor, type OutputFormat, outputOption } from "../place/target.ts";
import type { CliContext } from "../program.ts";
import { usage } from "../terminal.ts";

interface AcceptOptions {
  readonly data?: string;
  readonly to: string;
  readonly message: string;
  readonly ticket: string;
  readonly output: OutputFormat;
}

/** `orrery accept-history`: the only way past a spec branch that went back or forked. */
export function addAcceptHistoryCommand(program: Command, { terminal }: CliContext): void {
  program
    .command("accept-history")
    .description("past a rewind or fork of the spec branch: let a commit count as verified; recorded")
    .requiredOption("--to <rev>", "the commit of the branch; from it on everything is verified as always")
    .requiredOption("-m, --message <reason>", "why; the record carries it")
    .requiredOption("--ticket <id>", "what it belongs to")
    .option("--data <dir>", "data directory of the daemon")
    .addOption(outputOption())
    .addHelpText("after", acceptHelp)
    .action(async (options: AcceptOptions) => {
      const dataDir = dataDirFor(options);
      const client = await clientFor(dataDir, "*", "admin");
      const answer = (await client.post("/admin/history:accept", {
        to: revisionIn(dataDir, options.to),
        ...{ reason: options.message, ticket: options.ticket },
      })) as { readonly from: string; readonly to: string };
      terminal.print(
        options.output === "json"
          ? JSON.stringify(answer)
          : `${answer.to} counts as verified, in place of ${answer.from}`,
      );
    });
}

const acceptHelp = `
Choose the newest commit that both histories share (git merge-base OLD NEW): all that comes after it is then judged by
signature, rule and approval as ever. Any later commit is taken on your word. What was applied stays until the next pass.
Undo of a mistake needs none of this: git revert.`;

function revisionIn(dataDir: string, rev: string): string {
  // The HEAD of the clone that somebody stands in would be taken for that of the daemon's repository.
  if (/^HEAD(?![\w/-])/.test(rev)) throw usage("HEAD means nothing to a daemon: name a branch or a commit");
  const source = { environment: readEnvironment(), cwd: process.cwd(), isRoot: process.getuid?.() === 0 };
  using repository = openRepository(loadConfig({ flags: { data: dataDir }, ...source }).repository);
  return resolveRevision(repository, rev);
}
