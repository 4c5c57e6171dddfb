import type { Command } from "commander";
import { exitCodes } from "../../base/index.ts";
import { printable } from "../../plan/index.ts";
import { lintIndex, lintUpdate } from "../hook/hook-lint.ts";
import { type HookName, hookNames } from "../hook/hook-script.ts";
import { hooksFolderOf } from "../hook/hooks-folder.ts";
import { installHook } from "../hook/install-hook.ts";
import { ownCommand } from "../hook/own-command.ts";
import { type OutputFormat, outputOption } from "../place/target.ts";
import type { CliContext } from "../program.ts";
import { jsonText } from "../query/json-text.ts";
import { type Terminal, usage } from "../terminal.ts";

interface InstallOptions {
  readonly preCommit?: true;
  readonly update?: true;
  readonly ref: string;
  readonly force?: true;
  readonly output: OutputFormat;
}

/** `orrery hook install`: lint before a commit, and before a push is accepted. */
export function addHookCommand(program: Command, context: CliContext): void {
  const command = program
    .command("hook")
    .description("lint in git hooks: before a commit, and before a push is accepted");
  command
    .command("install")
    .description("write a hook into a repository; a foreign one is never overwritten")
    .argument("[repo]", "the repository (default: here)")
    .option("--pre-commit", "lint what is about to be committed (default of a work tree)")
    .option("--update", "refuse pushes that bring findings (default of a bare repository)")
    .option("--ref <ref>", "the spec ref, the only one that the update hook looks at", "refs/heads/main")
    .option("--force", "put a foreign hook aside")
    .addOption(outputOption())
    .addHelpText("after", installHelp)
    .exitOverride()
    .action((repository: string | undefined, options: InstallOptions) => {
      install(repository ?? ".", options, context.terminal);
    });
  command
    .command("run")
    .description("what an installed hook calls; git gives the arguments")
    .argument("<hook>", hookNames.join(" or "))
    .argument("[arguments...]")
    .exitOverride()
    .action(async (hook: string, args: readonly string[]) => {
      context.exit(await run(hook, args, context.terminal));
    });
}

const installHelp = `
Only errors and denials refuse, never warnings, and only those that the push or the commit brings: what was wrong before is
counted, and passes. The update hook looks at one ref and at the head of a push alone; what it lets pass the daemon still
verifies. --no-verify passes a pre-commit hook, nothing passes an update hook.`;

function install(repository: string, options: InstallOptions, terminal: Terminal): void {
  const ref = options.ref.startsWith("refs/") ? options.ref : `refs/heads/${options.ref}`;
  if (!/^refs(\/[A-Za-z0-9_][\w.-]*)+$/.test(ref)) throw usage(`${options.ref} is no ref such as refs/heads/main`);
  const { folder, isBare } = hooksFolderOf(repository);
  const asked: readonly HookName[] = [
    ...(options.preCommit === true ? ["pre-commit" as const] : []),
    ...(options.update === true ? ["update" as const] : []),
  ];
  const names = asked.length > 0 ? asked : [isBare ? ("update" as const) : ("pre-commit" as const)];
  if (isBare && names.includes("pre-commit")) throw usage(`${repository} is bare: nobody commits there`);
  const force = options.force === true;
  const installed = names.map((name) => installHook({ folder, name, ref, command: ownCommand(), force }));
  if (options.output === "json") {
    terminal.print(jsonText({ installed }));
    return;
  }
  for (const { file, kept } of installed) {
    terminal.print(printable(`wrote ${file}`));
    if (kept !== null) terminal.print(printable(`the hook that stood there is now ${kept}; nothing calls it`));
  }
}

async function run(hook: string, args: readonly string[], terminal: Terminal) {
  if (hook === "pre-commit") return lintIndex(process.cwd(), terminal);
  const [ref, old, next] = args;
  if (hook !== "update" || ref === undefined || !isObjectName(old) || !isObjectName(next))
    throw usage("hook run pre-commit, or hook run update REF OLD NEW");
  const code = await lintUpdate(process.cwd(), { old, next }, terminal);
  if (code === exitCodes.findings) terminal.note(`${ref} stays as it is: correct the findings, commit and push again`);
  return code;
}

const isObjectName = (text: string | undefined): text is string => text !== undefined && /^[0-9a-f]{40}$/.test(text);
