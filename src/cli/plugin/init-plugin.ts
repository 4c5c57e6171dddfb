import { existsSync } from "node:fs";
import path from "node:path";
import { isId } from "../../spec/index.ts";
import { checkTenant, parsePluginRef } from "../new/new-documents.ts";
import { stands, writeNew } from "../new/write-new.ts";
import { specRootOf } from "../place/spec-place.ts";
import type { OutputFormat } from "../place/target.ts";
import { jsonText } from "../query/json-text.ts";
import { type Terminal, usage } from "../terminal.ts";
import { decodeManifest, sourceFolder } from "./plugin-source.ts";
import { editorTexts, sourceTexts } from "./source-texts.ts";

export interface PluginInitOptions {
  /** The work tree, or a place in it. */
  readonly repo: string;
  readonly version: string;
  readonly output: OutputFormat;
}

/** Writes the source of a new plugin, and what editors need of Orrery; never overwrites. Fault USAGE, NOT_FOUND, SPEC_*. */
export function initPlugin(target: string, { repo, version, output }: PluginInitOptions, terminal: Terminal): void {
  const slash = target.indexOf("/");
  const tenant = target.slice(0, slash);
  if (slash < 1 || !isId(tenant)) throw usage(`${target} is not TENANT/SERVICE.TASK, as acme/acme.count`);
  const { name } = parsePluginRef(`${target.slice(slash + 1)}@${version}`);
  const root = specRootOf(repo);
  if (!existsSync(path.join(root, ".git")) && !existsSync(path.join(root, "orrery.yaml")))
    throw usage(`${root} is a bare repository: clone it, and write in the clone`);
  checkTenant(root, tenant);
  const place = { tenant, name, version, dir: `${sourceFolder}/${tenant}/${name}` };
  const files = sourceTexts(place);
  // A name that no tenant may speak for is said before anything is written.
  decodeManifest(files.get(`${place.dir}/plugin.yaml`) ?? "", place);
  const editor = [...editorTexts()].filter(([file]) => !stands(root, file));
  writeNew(root, new Map([...files, ...editor]));
  const written = [...files.keys(), ...editor.map(([file]) => file)];
  if (output === "json") {
    terminal.print(jsonText({ written }));
    return;
  }
  for (const file of written) terminal.print(`wrote ${file}`);
  terminal.print(
    [
      ...["", "Next:", `  orrery plugin test ${place.dir}`, `  orrery plugin build ${place.dir}`],
      `  tenants/${tenant}/allowlist.yaml must grant it: { name: ${name}, versions: ["${version}"] }`,
      `  orrery.yaml: trust.paths may name who changes ${sourceFolder}/${tenant}/**`,
    ].join("\n"),
  );
}
