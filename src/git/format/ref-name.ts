/**
 * A full ref name by the rules of git check-ref-format, or HEAD. Besides git's rules it keeps a name from leaving the
 * directory it is joined to.
 */
export function isRefName(name: string): boolean {
  if (name === "HEAD") return true;
  if (!name.startsWith("refs/") || Buffer.byteLength(name) > 1024 || !name.isWellFormed()) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: git refuses exactly these
  if (/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{/u.test(name)) return false;
  const parts = name.split("/");
  return parts.length >= 2 && parts.every((part) => part !== "" && !part.startsWith(".") && isPartEnd(part));
}

const isPartEnd = (part: string): boolean => !part.endsWith(".") && !part.endsWith(".lock");
