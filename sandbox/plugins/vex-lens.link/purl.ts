import { PackageURL } from "packageurl-js";

/**
 * The canonical text of a package URL, so that spellings of one package compare equal; whatever the library cannot read
 * (or throws on) stays the raw text: an opaque id that equals only itself.
 */
export function comparableId(raw: string): string {
  if (!raw.startsWith("pkg:")) return raw;
  try {
    return PackageURL.fromString(raw).toString();
  } catch {
    return raw;
  }
}

/** The same without version, qualifiers and subpath; null where `raw` is no readable package URL. */
export function packageOf(raw: string): string | null {
  if (!raw.startsWith("pkg:")) return null;
  try {
    const { type, namespace, name } = PackageURL.fromString(raw);
    return new PackageURL(type, namespace, name, null, null, null).toString();
  } catch {
    return null;
  }
}

/** Whether `raw` names no version: such a statement speaks of every version. */
export function isUnversioned(raw: string): boolean {
  return packageOf(raw) === comparableId(raw);
}
