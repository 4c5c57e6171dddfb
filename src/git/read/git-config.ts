import { Fault } from "../../base/index.ts";
import { readRegularFile } from "./regular-file.ts";

/** One setting. `value` is null for a key without `=`, which git takes for true. */
export interface ConfigEntry {
  /** `core`, or `remote.origin`: section lower-cased, subsection as written. */
  readonly section: string;
  /** Lower-cased. */
  readonly key: string;
  readonly value: string | null;
}

export type GitConfig = readonly ConfigEntry[];

const maxConfigBytes = 1 << 20;
const headerPattern = /^\[\s*([-.\w]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]/u;
const keyPattern = /^([A-Za-z][-A-Za-z0-9]*)[ \t]*(=)?[ \t]*/u;

/** A config file of the repository itself; `[]` where there is none. Includes are not followed, nor is the user's own. */
export function readGitConfig(path: string): GitConfig {
  const bytes = readRegularFile(path, maxConfigBytes, "the repository's config");
  return bytes === null ? [] : parseGitConfig(bytes.toString("utf8"));
}

/** Parses git's config syntax; `REPO_CORRUPT` with the line where git would refuse it too. */
export function parseGitConfig(text: string): GitConfig {
  const entries: ConfigEntry[] = [];
  let section = "";
  let rest = text.replace(/^\ufeff/u, "").replaceAll("\r\n", "\n");
  const lines = rest.split("\n").length;
  const fail = (): Fault =>
    new Fault("REPO_CORRUPT", `config line ${String(lines - rest.split("\n").length + 1)} cannot be read`);
  for (;;) {
    rest = rest.replace(/^(?:\s+|[#;][^\n]*)+/u, "");
    if (rest === "") return entries;
    const header = headerPattern.exec(rest);
    if (header !== null) {
      section = sectionName(header[1] ?? "", header[2]);
      rest = rest.slice(header[0].length);
      continue;
    }
    const key = keyPattern.exec(rest);
    if (key === null || section === "") throw fail();
    const read = key[2] === undefined ? { value: null, length: 0 } : readValue(rest.slice(key[0].length));
    if (read === null) throw fail();
    entries.push({ section, key: (key[1] ?? "").toLowerCase(), value: read.value });
    rest = rest.slice(key[0].length + read.length);
    if (!/^[ \t]*(?:[#;\n]|$)/u.test(rest)) throw fail();
  }
}

function sectionName(name: string, subsection: string | undefined): string {
  const lower = name.toLowerCase();
  return subsection === undefined ? lower : `${lower}.${subsection.replace(/\\(.)/gu, "$1")}`;
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", b: "\b", '"': '"', "\\": "\\" };

/** A value up to the end of its line: quotes, escapes, continuation lines, comments. Null when a quote stays open. */
function readValue(text: string): { readonly value: string; readonly length: number } | null {
  let [value, at, quoted, kept] = ["", 0, false, 0];
  for (; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "\n" || (!quoted && isComment(char))) break;
    if (char === "\\") {
      const next = text.charAt(++at);
      const meant = next === "\n" ? "" : escapes[next];
      if (meant === undefined) return null;
      value += meant;
    } else if (char === '"') quoted = !quoted;
    else value += char;
    // Blanks at the end count only inside quotes.
    if (quoted || !/[ \t]/u.test(char)) kept = value.length;
  }
  return quoted ? null : { value: value.slice(0, kept), length: at };
}

const isComment = (char: string): boolean => char === "#" || char === ";";

/** The last value of `section.key`, or undefined where it is not set. */
export const settingOf = (config: GitConfig, section: string, key: string): string | null | undefined =>
  config.findLast((entry) => entry.section === section && entry.key === key)?.value;

/** Git's booleans; undefined where it is not set or no boolean. */
export function booleanOf(config: GitConfig, section: string, key: string): boolean | undefined {
  const value = settingOf(config, section, key);
  if (value === undefined) return undefined;
  if (value === null) return true;
  const lower = value.toLowerCase();
  if (["true", "yes", "on"].includes(lower)) return true;
  if (["false", "no", "off", ""].includes(lower)) return false;
  return /^[-+]?\d+$/u.test(lower) ? Number(lower) !== 0 : undefined;
}
