/** A `$ ` line of a ```console block of a Markdown file, and what is said to come out of it. */
interface ConsoleCommand {
  readonly kind: "command";
  /** `docs/developer.md:12`. */
  readonly at: string;
  readonly text: string;
  /** 0, or what a line `# exit N` under the command says. */
  readonly exit: number;
  /** The lines below it; a `…` in one stands for any text, one alone for any lines. */
  readonly output: readonly string[];
}

/** A ```yaml block whose first line is a comment with its path. */
interface NamedFile {
  readonly kind: "file";
  readonly at: string;
  readonly path: string;
  readonly text: string;
}

export type WalkStep = ConsoleCommand | NamedFile;

const fence = /^```(\w*)$/u;
const pathLine = /^# (\S+\.yaml)$/u;
const exitLine = /^# exit (\d+)$/u;

/** Commands and files of a Markdown text, in its order. Blocks of other kinds are prose. */
export function walkSteps(file: string, markdown: string): readonly WalkStep[] {
  const steps: WalkStep[] = [];
  let block: { readonly language: string; readonly line: number; readonly lines: string[] } | null = null;
  for (const [index, line] of markdown.split("\n").entries()) {
    const opened = fence.exec(line);
    if (block === null && opened !== null) block = { language: opened[1] ?? "", line: index + 2, lines: [] };
    else if (block !== null && opened !== null) {
      steps.push(
        ...blockSteps(block.language, block.lines, (offset) => `${file}:${String((block?.line ?? 0) + offset)}`),
      );
      block = null;
    } else block?.lines.push(line);
  }
  return steps;
}

function blockSteps(language: string, lines: readonly string[], at: (offset: number) => string): readonly WalkStep[] {
  if (language === "console") return consoleCommands(lines, at);
  const path = pathLine.exec(lines[0] ?? "")?.[1];
  if (language !== "yaml" || path === undefined) return [];
  return [{ kind: "file", at: at(0), path, text: `${lines.join("\n")}\n` }];
}

function consoleCommands(lines: readonly string[], at: (offset: number) => string): readonly ConsoleCommand[] {
  const starts = lines.flatMap((line, index) => (line.startsWith("$ ") ? [index] : []));
  if (starts[0] !== 0) throw new Error(`${at(0)}: a console block begins with a command`);
  return starts.map((start, index) => {
    const below = lines.slice(start + 1, starts[index + 1] ?? lines.length);
    const exit = below.map((line) => exitLine.exec(line)?.[1]).find((code) => code !== undefined);
    const output = below.filter((line) => line.trim() !== "" && !exitLine.test(line));
    return { kind: "command", at: at(start), text: (lines[start] ?? "").slice(2), exit: Number(exit ?? 0), output };
  });
}

/** What differs from one walk to the next, and how wide a table is drawn. */
const varying: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gu, "<uuid>"],
  [/\b\d{4}-\d\d-\d\dT[\d:.]+Z/gu, "<time>"],
  [/SHA256:[\w+/]+/gu, "<key>"],
  [/\b[0-9a-f]{12,64}\b/gu, "<hash>"],
  [/\b\d+ ms\b/gu, "<ms>"],
  [/\s+/gu, " "],
];

const normalised = (line: string): string =>
  varying.reduce((text, [pattern, name]) => text.replace(pattern, name), line).trim();

/** The first promised line that what came out lacks, from where the one before it was found; null where all are there. */
export function missingLine(promised: readonly string[], said: string): string | null {
  const lines = said.split("\n").map(normalised);
  let from = 0;
  for (const line of promised) {
    if (line.trim() === "…") continue;
    const found = lines.findIndex((actual, index) => index >= from && isSpelled(normalised(line), actual));
    if (found < 0) return line;
    from = found + 1;
  }
  return null;
}

function isSpelled(pattern: string, actual: string): boolean {
  const pieces = pattern.split("…");
  const escaped = pieces.map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/gu, "\\$&"));
  return new RegExp(`^${escaped.join(".*")}$`, "u").test(actual);
}
