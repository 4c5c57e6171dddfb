import { eitherShape, listShape, type Shape, scalarShape, unknownShape } from "./expression-shape.ts";
import { type ExpressionTree, type Macro, macroOf, partsOf } from "./expression-tree.ts";

/** Turns of loops that one expression may take (100,000 cost about 40 ms), and the longest text it may build. */
const costCaps = { turns: 100_000, chars: 4 * 1024 * 1024 } as const;

/** Shape of a free name; a bound one hides it. */
export type ShapeOf = (name: string) => Shape;

/**
 * Why an expression may cost too much, or null. A static bound: macros multiply (N^k), joined and doubled lists and
 * texts add up, so that neither time nor memory of an evaluation can run away.
 */
export function costDefect(tree: ExpressionTree, shapeOf: ShapeOf): string | null {
  try {
    const { turns } = bound(tree, shapeOf);
    return turns > costCaps.turns ? `it may take ${String(turns)} turns; at most ${String(costCaps.turns)}` : null;
  } catch (error) {
    if (error instanceof TooLarge) return error.message;
    throw error;
  }
}

class TooLarge extends Error {}

const nodesPerTurn = 8;

const nodesOf = (tree: ExpressionTree): number => partsOf(tree).reduce((sum, part) => sum + nodesOf(part), 1);

interface Bound {
  readonly turns: number;
  readonly shape: Shape;
}

function bound(tree: ExpressionTree, shapeOf: ShapeOf): Bound {
  const found = boundOf(tree, shapeOf);
  if (found.shape.chars > costCaps.chars) throw new TooLarge("it may build a text over 4 MiB");
  if (found.shape.items > costCaps.turns)
    throw new TooLarge(`it may build a list over ${String(costCaps.turns)} items`);
  return found;
}

function boundOf(tree: ExpressionTree, shapeOf: ShapeOf): Bound {
  const macro = macroOf(tree);
  if (macro !== null) return macroBound(macro, shapeOf);
  switch (tree.op) {
    case "literal":
      return { turns: 0, shape: scalarShape(tree.value?.length ?? 32) };
    case "name":
      return { turns: 0, shape: shapeOf(tree.name) };
    case "member":
    case "index":
      return selectBound(tree, shapeOf);
    case "list":
      return aggregateBound(tree.items, shapeOf);
    case "map":
      return aggregateBound(tree.entries.flat(), shapeOf);
    case "operator":
      return operatorBound(tree.name, tree.args, shapeOf);
    case "call":
      return callBound(tree, shapeOf);
  }
}

function selectBound(tree: ExpressionTree & { readonly op: "member" | "index" }, shapeOf: ShapeOf): Bound {
  const of = bound(tree.of, shapeOf);
  if (tree.op === "member") return { turns: of.turns, shape: of.shape.member(tree.key) };
  const key = bound(tree.key, shapeOf);
  const constant = tree.key.op === "literal" ? tree.key.value : null;
  const shape = constant === null ? of.shape.element() : of.shape.member(constant);
  return { turns: of.turns + key.turns, shape };
}

function aggregateBound(parts: readonly ExpressionTree[], shapeOf: ShapeOf): Bound {
  const bounds = parts.map((part) => bound(part, shapeOf));
  return { turns: turnsOf(bounds), shape: listShape(parts.length, eitherShape(bounds.map(({ shape }) => shape))) };
}

const turnsOf = (bounds: readonly Bound[]): number => bounds.reduce((sum, { turns }) => sum + turns, 0);

function macroBound({ variable, over, bodies, kind, name }: Macro, shapeOf: ShapeOf): Bound {
  const outer = bound(over, shapeOf);
  const value = kind === "bind" ? outer.shape : outer.shape.element();
  const inner = bodies.map((body) => bound(body, (free) => (free === variable ? value : shapeOf(free))));
  const last = inner.at(-1)?.shape ?? scalarShape(0);
  if (kind === "bind") return { turns: outer.turns + turnsOf(inner), shape: last };
  const { items } = outer.shape;
  // A long body costs its nodes in each turn.
  const body = turnsOf(inner) + bodies.reduce((nodes, tree) => nodes + nodesOf(tree), 0) / nodesPerTurn;
  const turns = outer.turns + Math.ceil(items * Math.max(1, body));
  if (name === "filter") return { turns, shape: listShape(items, value) };
  return { turns, shape: name === "map" ? listShape(items, last) : scalarShape(0) };
}

function operatorBound(name: string, args: readonly ExpressionTree[], shapeOf: ShapeOf): Bound {
  const bounds = args.map((arg) => bound(arg, shapeOf));
  const shapes = bounds.map(({ shape }) => shape);
  const turns = turnsOf(bounds);
  const sum = (of: (shape: Shape) => number): number => shapes.reduce((total, shape) => total + of(shape), 0);
  if (name === "+") {
    const items = sum((shape) => shape.items);
    return { turns: turns + items, shape: { ...eitherShape(shapes), items, chars: sum((shape) => shape.chars) } };
  }
  if (name === "?:") return { turns, shape: eitherShape(shapes.slice(1)) };
  return { turns: turns + walkedBy(name, shapes), shape: scalarShape(32) };
}

/** Comparing ends with the shorter side, so with anything and null at once; looking for a value walks where it is looked for. */
function walkedBy(operator: string, shapes: readonly Shape[]): number {
  const items = shapes.map((shape) => shape.items);
  if (operator === "==" || operator === "!=") return Math.min(...items);
  return operator === "in" ? items.reduce((sum, count) => sum + count, 0) : 0;
}

function callBound(tree: ExpressionTree & { readonly op: "call" }, shapeOf: ShapeOf): Bound {
  const parts = tree.target === null ? tree.args : [tree.target, ...tree.args];
  const bounds = parts.map((part) => bound(part, shapeOf));
  const [self = scalarShape(0), first = scalarShape(0), second = scalarShape(0)] = bounds.map(({ shape }) => shape);
  const walked = self.items + Math.ceil(self.chars / 1000);
  return { turns: turnsOf(bounds) + walked, shape: resultShape(tree, self, first, second) };
}

function resultShape(tree: ExpressionTree & { readonly op: "call" }, self: Shape, first: Shape, second: Shape): Shape {
  switch (tree.name) {
    case "split":
      return listShape(self.chars + 1, scalarShape(self.chars));
    case "join":
      return scalarShape(self.items * (self.element().chars + first.chars));
    case "replace":
      return replacedShape(tree.args[0], self, second);
    case "sort":
    case "dyn":
      return self;
    case "size":
    case "has":
      return scalarShape(32);
    default:
      return self === unknownShape ? scalarShape(self.chars) : scalarShape(Math.max(32, self.chars));
  }
}

/** Each match of the shortest text that `from` can be becomes `to`; an empty one matches between all characters. */
function replacedShape(from: ExpressionTree | undefined, self: Shape, to: Shape): Shape {
  const shortest = from?.op === "literal" ? (from.value?.length ?? 0) : 0;
  const growth = shortest === 0 ? 1 + to.chars : Math.max(1, to.chars / shortest);
  return scalarShape(Math.ceil(self.chars * growth) + to.chars);
}
