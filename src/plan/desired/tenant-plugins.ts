import { canonicalText, type Hex, hexDigestWith, type Sha256 } from "../../base/index.ts";
import {
  checkPluginBytes,
  type DecodedDocument,
  type DocumentPath,
  type Finding,
  type PluginManifest,
} from "../../spec/index.ts";

/** A document at its path. */
export interface Placed {
  readonly path: string;
  /** null = a file that looks like a document and is none. */
  readonly where: DocumentPath | null;
  readonly decoded: DecodedDocument;
}

/** By `name@version` in byte order, with what is wrong with those that do not count. */
export function readPlugins(
  placed: readonly Placed[],
  bytes: ReadonlyMap<string, Hex>,
): { readonly plugins: Readonly<Record<string, PluginManifest>>; readonly findings: readonly Finding[] } {
  const plugins = new Map<string, PluginManifest>();
  const findings: Finding[] = [];
  // Paths in byte order: plugins/ comes before tenants/, so no tenant puts its own bytes under a shared name.
  for (const { path, decoded } of placed) {
    if (!decoded.ok || decoded.document.kind !== "Plugin") continue;
    const { name, version, spec } = decoded.document;
    const finding = checkPluginBytes(spec, bytes.get(path.replace(/plugin\.yaml$/, "plugin.js")) ?? null, path);
    const ref = `${name}@${version}`;
    if (finding !== null) findings.push(finding);
    else if (plugins.has(ref)) findings.push(shadowFinding(path, ref));
    else plugins.set(ref, spec);
  }
  return { plugins: Object.fromEntries([...plugins].sort(([a], [b]) => (a < b ? -1 : 1))), findings };
}

const shadowFinding = (path: string, ref: string): Finding => ({
  code: "SPEC_PATH",
  severity: "error",
  path,
  line: 0,
  col: 0,
  pointer: "",
  message: `${ref} is a plugin of the whole repository`,
  fix: "Give the tenant's plugin another name.",
});

/** SHA-256 of each manifest as canonical text. */
export function pluginHashesOf(
  plugins: Readonly<Record<string, PluginManifest>>,
  sha256: Sha256,
): Readonly<Record<string, Hex>> {
  const digest = hexDigestWith(sha256);
  return Object.fromEntries(Object.entries(plugins).map(([ref, manifest]) => [ref, digest(canonicalText(manifest))]));
}
