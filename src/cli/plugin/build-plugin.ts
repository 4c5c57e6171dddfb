import { existsSync, lstatSync, readFileSync } from "node:fs";
import path from "node:path";
import { canonicalText, Fault } from "../../base/index.ts";
import { sha256Hex } from "../../base/node-digest.ts";
import { openRepository } from "../../git/index.ts";
import type { PluginManifest } from "../../spec/index.ts";
import { replaceFile } from "../fmt/replace-file.ts";
import { checkFolders, stands, writeFresh } from "../new/write-new.ts";
import { bundleTask } from "./bundle-task.ts";
import { builtFolder, decodeManifest, type PluginSource } from "./plugin-source.ts";

/** A plugin as it would be committed. */
export interface BuiltPlugin {
  readonly source: PluginSource;
  /** Relative to the root. */
  readonly folder: string;
  readonly script: string;
  readonly manifestText: string;
  /** With the digest of `script`. */
  readonly manifest: PluginManifest;
}

/** Bundles the task and writes its digest into the manifest's text; nothing on disk changes. Fault PLUGIN_BUILD, SPEC_*. */
export async function buildPlugin(source: PluginSource): Promise<BuiltPlugin> {
  const script = await bundleTask(source);
  const manifestText = withDigest(source, sha256Hex(Buffer.from(script, "utf8")));
  const manifest = decodeManifest(manifestText, source);
  return { source, folder: builtFolder(source), script, manifestText, manifest };
}

/** Files of a built plugin that do not stand on disk as they should. */
export function staleFiles(built: BuiltPlugin): readonly string[] {
  return [...filesOf(built)].filter(([name, text]) => textAt(built.source.root, name) !== text).map(([name]) => name);
}

/**
 * Writes plugin.js and plugin.yaml where a site reads them; answers what it wrote. Fault PLUGIN_MUTATED where the version
 * is committed already (HEAD, main, or main of origin) and is another one, FILE_EXISTS where a link stands in the way (it
 * could lead out of the work tree, and no site reads it): nothing is written then. Fault FILE_NOT_WRITABLE.
 */
export function writePlugin(built: BuiltPlugin): readonly string[] {
  const { root } = built.source;
  checkUnchanged(built);
  for (const name of filesOf(built).keys()) checkPlace(root, name);
  const stale = staleFiles(built);
  for (const [name, text] of filesOf(built)) {
    if (!stale.includes(name)) continue;
    if (stands(root, name)) replaceFile(path.join(root, name), text);
    else writeFresh(root, name, text);
  }
  return stale;
}

function checkPlace(root: string, name: string): void {
  checkFolders(root, name);
  const stat = lstatSync(path.join(root, name), { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isFile()) throw new Fault("FILE_EXISTS", `${name} is no regular file`);
}

const filesOf = ({ folder, script, manifestText }: BuiltPlugin): ReadonlyMap<string, string> =>
  new Map([
    [`${folder}/plugin.js`, script],
    [`${folder}/plugin.yaml`, manifestText],
  ]);

const digestLine = /^(\s+sha256:\s*)(?:"[0-9a-f]{64}"|'[0-9a-f]{64}'|[0-9a-f]{64})(?=\s*(?:#.*)?$)/gm;

function withDigest({ manifestText, dir }: PluginSource, digest: string): string {
  const lines = manifestText.match(digestLine) ?? [];
  if (lines.length !== 1)
    throw new Fault(
      "SPEC_TYPE",
      `${dir}/plugin.yaml: write one line sha256: "${"0".repeat(8)}…" (64 zeros) under spec`,
    );
  return manifestText.replace(digestLine, (_line, key: string) => `${key}"${digest}"`);
}

function textAt(root: string, name: string): string | null {
  try {
    return readFileSync(path.join(root, name), "utf8");
  } catch {
    return null;
  }
}

const committedRefs = ["HEAD", "refs/heads/main", "refs/remotes/origin/main"];

/** As the daemon judges it: bytes and manifest count, comments do not. */
function checkUnchanged(built: BuiltPlugin): void {
  const { root, version } = built.source;
  if (!existsSync(path.join(root, ".git"))) return;
  using repository = openRepository(root);
  for (const ref of committedRefs) {
    const commit = repository.readRef(ref);
    if (commit === null) continue;
    const { tree } = repository.readCommit(commit);
    const committed = (name: string): string | null => {
      const entry = repository.entryAt(tree, `${built.folder}/${name}`);
      return entry?.kind === "blob" ? repository.readBlob(entry.oid).toString("utf8") : null;
    };
    const changed = changedFile(built, { script: committed("plugin.js"), manifest: committed("plugin.yaml") });
    if (changed === null) continue;
    const at = ref === "HEAD" ? "is committed" : `stands in ${ref.replace(/^refs\/(heads|remotes)\//, "")}`;
    throw new Fault(
      "PLUGIN_MUTATED",
      `${built.folder}/${changed} ${at} with other content: raise metadata.version ${version} in ${built.source.dir}/plugin.yaml`,
    );
  }
}

interface Committed {
  readonly script: string | null;
  readonly manifest: string | null;
}

function changedFile(built: BuiltPlugin, { script, manifest }: Committed): string | null {
  if (script !== null && script !== built.script) return "plugin.js";
  if (manifest === null) return null;
  try {
    const before = decodeManifest(manifest, built.source);
    return canonicalText(before) === canonicalText(built.manifest) ? null : "plugin.yaml";
  } catch {
    // One that never decoded was never applied: it may be put right.
    return null;
  }
}
