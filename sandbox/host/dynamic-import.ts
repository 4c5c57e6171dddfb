const gap = String.raw`(?:\s|//[^\n\r\u2028\u2029]*|/\*[\s\S]*?\*/|<!--[^\n\r\u2028\u2029]*|-->[^\n\r\u2028\u2029]*)*`;
const dynamicImport = new RegExp(String.raw`(?<![\w$\u0080-\uffff])import${gap}[(.]`, "g");

/**
 * True where a script may hold `import(...)`. V8 answers it with a promise of the host's realm, whose constructor leads
 * out. Code generation is off, so the text is all the code there is; a false alarm in a string is the author's to avoid.
 */
export function hasDynamicImport(text: string): boolean {
  if (!text.includes("import")) return false;
  for (const match of text.matchAll(dynamicImport)) {
    // `x.import(` is a method; `...import(` is not.
    const before = text.slice(Math.max(0, match.index - 2), match.index);
    if (!before.endsWith(".") || before === "..") return true;
  }
  return false;
}
