import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
} from "yaml";
import { composeYaml } from "../decode/yaml-tokens.ts";

/** A document as nodes with their places in its text, for fixes that keep everything else. */
export interface SpecNodes {
  readonly text: string;
  readonly lines: LineCounter;
  readonly root: YAMLMap;
}

/** Null where the text is no single mapping that parses without error: nothing of it can be fixed safely. */
export function specNodes(text: string): SpecNodes | null {
  const lines = new LineCounter();
  let documents: readonly Document.Parsed[];
  try {
    documents = composeYaml(text, lines);
  } catch {
    return null;
  }
  const [document, second] = documents;
  if (document === undefined || second !== undefined || document.errors.length > 0) return null;
  return isMap(document.contents) ? { text, lines, root: document.contents } : null;
}

export type KeyedPair = Pair<Scalar<string>, Node | null>;

/** Pairs whose key is a plain text. */
export function pairsOf(map: Node | null | undefined): readonly KeyedPair[] {
  if (!isMap(map)) return [];
  return (map.items as readonly Pair[]).filter(
    (pair): pair is KeyedPair => isScalar(pair.key) && typeof pair.key.value === "string",
  );
}

/** The value at a path of keys and indices, or undefined. */
export function nodeAt(root: Node | null, path: readonly (string | number)[]): Node | null | undefined {
  let at: Node | null | undefined = root;
  for (const key of path) {
    if (typeof key === "number") at = isSeq(at) ? ((at.items[key] ?? undefined) as Node | undefined) : undefined;
    else at = pairsOf(at).find((pair) => pair.key.value === key)?.value;
  }
  return at;
}

/** Where a node's own text stands: `[start, end)` without what follows it. */
export function rangeOf(node: Node | null | undefined): readonly [start: number, end: number] | null {
  const range = node?.range;
  return range === null || range === undefined ? null : [range[0], range[1]];
}
