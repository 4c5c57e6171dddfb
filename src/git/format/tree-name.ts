// biome-ignore format: one code point a group, as in git's utf8.c
const hfsIgnorable = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/gu;
const controls = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const maxNameBytes = 255;

/**
 * Why a name must not be used as a path component, or null. Covers what git's fsck refuses and what only hurts on
 * case-folding, NTFS or HFS+ checkouts: a tree is read here but checked out elsewhere.
 */
export function nameDefect(name: string, bytes: Uint8Array): string | null {
  if (bytes.length === 0) return "empty name";
  if (bytes.length > maxNameBytes) return `name longer than ${String(maxNameBytes)} bytes`;
  if (!Buffer.from(name, "utf8").equals(bytes)) return "name is not UTF-8";
  if (name === "." || name === "..") return `name "${name}"`;
  if (name.includes("/") || name.includes("\\")) return "slash or backslash in a name";
  if (controls.test(name)) return "control character in a name";
  return isDotGit(name) ? "name that some systems take for .git" : null;
}

function isDotGit(name: string): boolean {
  // NTFS drops trailing dots and blanks and takes what follows a colon for a stream of the same file.
  const folded = name
    .replace(hfsIgnorable, "")
    .replace(/:.*$/u, "")
    .replace(/[. ]+$/u, "")
    .toLowerCase();
  return folded === ".git" || folded === "git~1";
}
