import { lstatSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { Fault } from "../../base/index.ts";
import { decodeDocument, type PluginManifest } from "../../spec/index.ts";
import { checkFolders } from "../new/write-new.ts";
import { specRootOf } from "../place/spec-place.ts";
import { usage } from "../terminal.ts";

/** Below it the sources of tenants' own plugins: no document path, so neither lint nor a site reads what stands there. */
export const sourceFolder = "plugin-src";

/** Where a plugin is written: plugin-src/<tenant>/<service>.<task>/ with task.ts and plugin.yaml. */
export interface PluginSource {
  readonly root: string;
  /** Relative to the root. */
  readonly dir: string;
  readonly tenant: string;
  readonly name: string;
  readonly version: string;
  readonly manifestText: string;
  readonly manifest: PluginManifest;
}

/** `tenants/acme/plugins/acme.count/1.0.0`: where a site reads it. */
export const builtFolder = ({ tenant, name, version }: Pick<PluginSource, "tenant" | "name" | "version">): string =>
  `tenants/${tenant}/plugins/${name}/${version}`;

const placePattern = new RegExp(`^${sourceFolder}/([^/]+)/([^/]+)$`);

/** The source folder at `start`, which is the folder or a file in it. Fault USAGE, NOT_FOUND, SPEC_*. */
export function readPluginSource(start: string): PluginSource {
  const at = path.resolve(start);
  const stat = lstatSync(at, { throwIfNoEntry: false });
  if (stat === undefined) throw new Fault("NOT_FOUND", `${start} does not exist`);
  if (stat.isSymbolicLink()) throw usage(`${start} is a link: a source stands in its work tree itself`);
  const folder = stat.isDirectory() ? at : path.dirname(at);
  const root = specRootOf(folder);
  const dir = path.relative(root, folder).split(path.sep).join("/");
  const [, tenant, name] = placePattern.exec(dir) ?? [];
  if (tenant === undefined || name === undefined)
    throw usage(`${dir === "" ? "." : dir} is no ${sourceFolder}/<tenant>/<service>.<task>: give that folder as PATH`);
  for (const name of ["plugin.yaml", "task.ts"]) checkRegular(root, `${dir}/${name}`);
  const file = `${dir}/plugin.yaml`;
  const manifestText = textOf(path.join(root, file), file);
  const version = versionIn(manifestText, file);
  const place = { root, dir, tenant, name, version };
  return { ...place, manifestText, manifest: decodeManifest(manifestText, place) };
}

/** As it would be decoded where it is built to. The first finding as a Fault that names the place. */
export function decodeManifest(
  text: string,
  place: Pick<PluginSource, "tenant" | "name" | "version"> & { readonly dir: string },
): PluginManifest {
  const decoded = decodeDocument({ path: `${builtFolder(place)}/plugin.yaml`, bytes: Buffer.from(text, "utf8") });
  if (decoded.ok && decoded.document.kind === "Plugin") {
    const { spec } = decoded.document;
    return spec;
  }
  const [finding] = decoded.ok ? [] : decoded.findings;
  if (finding === undefined) throw new Fault("SPEC_PATH", `${builtFolder(place)} is no place of a plugin`);
  const { line, col, message, fix } = finding;
  throw new Fault(finding.code, `${place.dir}/plugin.yaml:${line}:${col}: ${message}. ${fix}`);
}

/** What a link leads to is not in the repository: somebody else's build would differ. What is not there is said later. */
function checkRegular(root: string, name: string): void {
  checkFolders(root, name);
  const stat = lstatSync(path.join(root, name), { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isFile()) throw usage(`${name} is no regular file`);
}

function textOf(full: string, shown: string): string {
  try {
    return readFileSync(full, "utf8");
  } catch (error) {
    throw new Fault("NOT_FOUND", `${shown} cannot be read: orrery plugin init makes one`, { cause: error });
  }
}

// The path of a source has no version, so it stands in metadata.version; the decoder then holds the built path to it.
function versionIn(text: string, file: string): string {
  let version: unknown;
  try {
    version = (parse(text) as { readonly metadata?: { readonly version?: unknown } } | null)?.metadata?.version;
  } catch (error) {
    throw new Fault("SPEC_YAML", `${file} is no YAML`, { cause: error });
  }
  if (typeof version === "string" && /^(0|[1-9]\d{0,8})(\.(0|[1-9]\d{0,8})){2}$/.test(version)) return version;
  throw new Fault("SPEC_TYPE", `${file} names no version: write metadata: { version: 1.0.0 }`);
}
