import { lstatSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { classifyPath, decodeDocument } from "../../spec/index.ts";
import { editorFiles, modelineOf } from "../new/editor-files.ts";
import {
  type NewDocuments,
  newAllowlist,
  newDag,
  newPlugin,
  newQuota,
  newTenant,
  parseId,
  parsePluginRef,
} from "../new/new-documents.ts";
import { refreshSchemas } from "../new/refresh-schemas.ts";
import { stands, writeNew } from "../new/write-new.ts";
import { gitSetting } from "../person/person.ts";
import { specRootOf } from "../place/spec-place.ts";
import { type OutputFormat, outputOption, parseTarget } from "../place/target.ts";
import type { CliContext } from "../program.ts";
import { jsonText } from "../query/json-text.ts";
import { type Terminal, usage } from "../terminal.ts";

interface NewOptions {
  readonly repo: string;
  readonly owner?: string;
  readonly tenant?: string;
  readonly output: OutputFormat;
}

/** `orrery new KIND NAME`: well-formed files at the right path of a work tree. */
export function addNewCommand(program: Command, { terminal }: CliContext): void {
  const command = program
    .command("new")
    .description("write a new spec file at its place in a work tree; never overwrites");
  const add = (usageText: string, what: string, make: Make): Command =>
    command
      .command(usageText)
      .description(what)
      .option("--repo <path>", "the work tree (default: here)", ".")
      .addOption(outputOption())
      .exitOverride()
      .action(async (name: string, options: NewOptions) => {
        const root = workTreeOf(options.repo);
        write(root, await make(root, name, options), { output: options.output, terminal });
      });
  add("tenant <name>", "tenant.yaml, quota.yaml and allowlist.yaml of a new tenant", (root, name, options) =>
    newTenant(root, parseId(name, "tenant"), ownerOf(root, options)),
  ).option("--owner <principal>", "who answers for it (default: user.email of git)");
  add("dag <tenant/dag>", "a DAG of one step that runs", (root, name, options) => {
    const target = parseTarget(name, options);
    return newDag(root, target.tenant, target.name);
  }).option("-t, --tenant <tenant>", "tenant, where the argument does not name it");
  add("quota <tenant>", "the quota of a tenant, with the defaults written out", (root, name) =>
    newQuota(root, parseId(name, "tenant")),
  );
  add("allowlist <tenant>", "the allowlist of a tenant", (root, name) => newAllowlist(root, parseId(name, "tenant")));
  add("plugin <name>", "a plugin, as SERVICE.TASK or SERVICE.TASK@x.y.z", (root, name, { tenant }) =>
    newPlugin(root, parsePluginRef(name), tenant === undefined ? null : parseId(tenant, "tenant")),
  ).option("-t, --tenant <tenant>", "a plugin of this tenant alone (default: of the repository)");
  command
    .command("schemas")
    .description("schemas/ and editor settings as this version has them; what is yours stays")
    .option("--repo <path>", "the work tree (default: here)", ".")
    .exitOverride()
    .action(({ repo }: { readonly repo: string }) => {
      const written = refreshSchemas(workTreeOf(repo), terminal);
      for (const name of written) terminal.print(name);
      if (written.length === 0) terminal.print("schemas/ and editor settings stand as they should");
    });
}

type Make = (root: string, name: string, options: NewOptions) => NewDocuments | Promise<NewDocuments>;

function workTreeOf(repo: string): string {
  const root = specRootOf(repo);
  const has = (name: string): boolean => lstatSync(path.join(root, name), { throwIfNoEntry: false }) !== undefined;
  if (has(".git") || has("orrery.yaml")) return root;
  throw usage(`${root} is a bare repository: clone it, and write in the clone`);
}

function ownerOf(root: string, { owner }: NewOptions): string {
  const principal = owner ?? gitSetting("user.email", root);
  if (principal === null) throw usage("who answers for the tenant? --owner NAME, or git config user.email");
  return principal;
}

interface Output {
  readonly output: OutputFormat;
  readonly terminal: Terminal;
}

function write(root: string, { files, next }: NewDocuments, { output, terminal }: Output): void {
  const documents = [...files].map(([name, text]) => [name, modelineOf(name) + text] as const);
  for (const [name, text] of documents) checkText(name, text);
  const editor = [...editorFiles()].filter(([name]) => !stands(root, name));
  writeNew(root, new Map([...documents, ...editor]));
  const names = documents.map(([name]) => name);
  if (output === "json") {
    terminal.print(jsonText({ written: [...names, ...editor.map(([name]) => name)], next }));
    return;
  }
  for (const name of names) terminal.print(`wrote ${name}`);
  if (editor.length > 0)
    terminal.print(`wrote schemas/ and .vscode/ (${String(editor.length)} files): editors complete from them`);
  terminal.print(["", "Next:", "  orrery lint", ...next.map((line) => `  ${line}`)].join("\n"));
}

/** An owner or a reserved name may make what our own template says wrong: said before anything is written. */
function checkText(name: string, text: string): void {
  if (classifyPath(name) === null) return;
  const decoded = decodeDocument({ path: name, bytes: Buffer.from(text, "utf8") });
  const [finding] = decoded.ok ? [] : decoded.findings;
  if (finding !== undefined) throw usage(`${name} would not do: ${finding.message}. ${finding.fix}`);
}
