/** An expression as data, so that only expression.ts knows the library. `start` = offset in the source. */
export type ExpressionTree =
  | { readonly op: "literal"; readonly value: string | null; readonly start: number }
  | { readonly op: "name"; readonly name: string; readonly start: number }
  | { readonly op: "member"; readonly of: ExpressionTree; readonly key: string; readonly start: number }
  | { readonly op: "index"; readonly of: ExpressionTree; readonly key: ExpressionTree; readonly start: number }
  | {
      readonly op: "call";
      readonly name: string;
      readonly target: ExpressionTree | null;
      readonly args: readonly ExpressionTree[];
      readonly start: number;
    }
  | { readonly op: "list"; readonly items: readonly ExpressionTree[]; readonly start: number }
  | {
      readonly op: "map";
      readonly entries: readonly (readonly [ExpressionTree, ExpressionTree])[];
      readonly start: number;
    }
  | {
      readonly op: "operator";
      readonly name: string;
      readonly args: readonly ExpressionTree[];
      readonly start: number;
    };

/** Macros bind a name for one part: `xs.map(x, …)`, `cel.bind(x, value, …)`. */
export interface Macro {
  readonly variable: string;
  readonly over: ExpressionTree;
  readonly bodies: readonly ExpressionTree[];
  readonly kind: "iterate" | "bind";
  readonly name: string;
}

const iterating = ["all", "exists", "exists_one", "map", "filter"];

/** The macro that a call is, else null. */
export function macroOf(tree: ExpressionTree): Macro | null {
  if (tree.op !== "call" || tree.target === null) return null;
  const [variable, ...rest] = tree.args;
  if (variable?.op !== "name") return null;
  if (iterating.includes(tree.name)) {
    return { variable: variable.name, over: tree.target, bodies: rest, kind: "iterate", name: tree.name };
  }
  const [over, ...bodies] = rest;
  if (tree.name !== "bind" || tree.target.op !== "name" || tree.target.name !== "cel" || over === undefined)
    return null;
  return { variable: variable.name, over, bodies, kind: "bind", name: tree.name };
}

/** Direct parts of a tree, macros aside. */
export function partsOf(tree: ExpressionTree): readonly ExpressionTree[] {
  switch (tree.op) {
    case "literal":
    case "name":
      return [];
    case "member":
      return [tree.of];
    case "index":
      return [tree.of, tree.key];
    case "call":
      return tree.target === null ? tree.args : [tree.target, ...tree.args];
    case "list":
      return tree.items;
    case "map":
      return tree.entries.flat();
    case "operator":
      return tree.args;
  }
}

/** A name that a macro does not bind, with the members read from it: `steps.collect.outputs` = ["steps", "collect", "outputs"]. */
export interface RootPath {
  readonly path: readonly string[];
  readonly start: number;
}

/** All free names of a tree with their static members, in source order. */
export function rootPaths(tree: ExpressionTree, bound: ReadonlySet<string> = new Set()): readonly RootPath[] {
  const macro = macroOf(tree);
  if (macro !== null) {
    const inner = new Set([...bound, macro.variable]);
    return [...rootPaths(macro.over, bound), ...macro.bodies.flatMap((body) => rootPaths(body, inner))];
  }
  const path = staticPath(tree);
  if (path === null) return partsOf(tree).flatMap((part) => rootPaths(part, bound));
  const [root] = path;
  // A key in brackets is read too: `xs[steps.a.outputs.n]`.
  const keys = indexKeys(tree).flatMap((key) => rootPaths(key, bound));
  return root === undefined || bound.has(root) ? keys : [{ path, start: tree.start }, ...keys];
}

/** Members from a name on, up to the first key that is not a constant; null where no name is the beginning. */
function staticPath(tree: ExpressionTree): readonly string[] | null {
  if (tree.op === "name") return [tree.name];
  if (tree.op === "member") return extended(tree.of, tree.key);
  if (tree.op !== "index") return null;
  return extended(tree.of, tree.key.op === "literal" && tree.key.value !== null ? tree.key.value : dynamicKey);
}

/** Stands in a path for a key that only the evaluation knows. */
export const dynamicKey = "[]";

function extended(of: ExpressionTree, key: string): readonly string[] | null {
  const path = staticPath(of);
  return path === null ? null : [...path, key];
}

function indexKeys(tree: ExpressionTree): readonly ExpressionTree[] {
  if (tree.op === "member") return indexKeys(tree.of);
  if (tree.op === "index") return [...indexKeys(tree.of), tree.key];
  return [];
}
