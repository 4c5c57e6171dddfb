import { isMap, isScalar, isSeq, type Node, visit } from "yaml";
import { slipOf } from "../decode/advice.ts";
import { nodeAt, pairsOf, rangeOf, type SpecNodes } from "./spec-nodes.ts";
import type { SpecFix, TextEdit } from "./text-edit.ts";

const sections = ["steps", "finally"] as const;

/** A step id with hyphens gets underscores, together with every `needs` and `steps.<id>` that names it. */
export function stepNameFixes(nodes: SpecNodes): readonly SpecFix[] {
  const keys = sections.flatMap((section) => pairsOf(nodeAt(nodes.root, ["spec", section])).map((pair) => pair.key));
  const taken = new Set(keys.map((key) => key.value));
  return keys.flatMap((key): readonly SpecFix[] => {
    const name = key.value.replaceAll("-", "_");
    const range = rangeOf(key);
    if (name === key.value || range === null || taken.has(name) || !/^[a-z][a-z0-9_]{0,62}$/.test(name)) return [];
    taken.add(name);
    const { line, col } = nodes.lines.linePos(range[0]);
    const edits = [
      { start: range[0], end: range[1], text: name },
      ...needsEdits(nodes, key.value, name),
      ...expressionEdits(nodes, key.value, name),
    ];
    return [{ line, col, message: `step ${key.value} is ${name}, where it is named too`, edits }];
  });
}

function needsEdits(nodes: SpecNodes, id: string, name: string): readonly TextEdit[] {
  return needsOf(nodes).flatMap((needs) => {
    const items = isSeq(needs) ? (needs.items as readonly Node[]) : [needs];
    return items.flatMap((item) => {
      const range = isScalar(item) && item.value === id ? rangeOf(item) : null;
      return range === null ? [] : [{ start: range[0], end: range[1], text: name }];
    });
  });
}

function needsOf({ root }: SpecNodes): readonly (Node | null)[] {
  return sections.flatMap((section) =>
    pairsOf(nodeAt(root, ["spec", section])).flatMap(({ value }) => {
      // Under a name that is still misspelt, too: what it names is renamed at once.
      const needs = pairsOf(isMap(value) ? value : null).filter(({ key }) => slipOf(key.value, ["needs"]) !== null);
      return needs.map((pair) => pair.value);
    }),
  );
}

/** Within `${{ }}` alone: any other text that holds the words is the author's. */
function expressionEdits({ root, text }: SpecNodes, id: string, name: string): readonly TextEdit[] {
  const edits: TextEdit[] = [];
  const named = new RegExp(
    `\\bsteps(?:\\.${id}|\\[\\s*(["'])${id}\\1\\s*\\])(?=\\s*\\.\\s*(?:outputs|status)\\b)`,
    "g",
  );
  visit(root, {
    Scalar: (_key, node) => {
      const range = rangeOf(node);
      if (range === null || typeof node.value !== "string" || !node.value.includes("${{")) return;
      const source = text.slice(range[0], range[1]);
      for (const span of source.matchAll(/\$\{\{[\s\S]*?\}\}/g)) {
        for (const found of span[0].matchAll(named)) {
          const start = range[0] + span.index + found.index;
          edits.push({ start, end: start + found[0].length, text: `steps.${name}` });
        }
      }
    },
  });
  return edits;
}

/** The later ones of equal `needs`: of one list together, for a list is either right or not. */
export function needsFixes(nodes: SpecNodes): readonly SpecFix[] {
  return needsOf(nodes).flatMap((needs): readonly SpecFix[] => {
    if (!isSeq(needs)) return [];
    const fixes = repeatsOf(nodes, needs.items as readonly Node[], needs.flow === true);
    const [first] = fixes;
    return first === undefined ? [] : [{ ...first, edits: fixes.flatMap(({ edits }) => edits) }];
  });
}

function repeatsOf(nodes: SpecNodes, items: readonly Node[], flow: boolean): readonly SpecFix[] {
  return items.flatMap((item, index): readonly SpecFix[] => {
    const range = rangeOf(item);
    if (!isScalar(item) || range === null || index === 0) return [];
    const earlier = items.slice(0, index).some((other) => isScalar(other) && other.value === item.value);
    const edit = earlier ? removal(nodes.text, range, rangeOf(items[index - 1]), flow) : null;
    if (edit === null) return [];
    const { line, col } = nodes.lines.linePos(range[0]);
    return [{ line, col, message: `removed the second ${String(item.value)} from needs`, edits: [edit] }];
  });
}

/** In a flow list up to the item before, with its comma; in a block list the whole line, where it holds nothing else. */
function removal(
  text: string,
  [start, end]: readonly [number, number],
  before: readonly [number, number] | null,
  flow: boolean,
): TextEdit | null {
  if (flow) {
    if (before === null || text.slice(before[1], start).includes("#")) return null;
    return { start: before[1], end, text: "" };
  }
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const next = text.indexOf("\n", end);
  const lineEnd = next < 0 ? text.length : next + 1;
  const alone = /^[ \t]*-[ \t]+$/.test(text.slice(lineStart, start)) && text.slice(end, lineEnd).trim() === "";
  return alone ? { start: lineStart, end: lineEnd, text: "" } : null;
}
