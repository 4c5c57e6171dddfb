import { type ASTNode, Environment, EvaluationError, ParseError } from "@marcbachmann/cel-js";
import type { Json, JsonObject } from "../../base/index.ts";
import { patternMatches } from "../value/file-pattern.ts";
import { type ExpressionDefect, formDefect } from "./expression-functions.ts";
import type { ExpressionTree } from "./expression-tree.ts";

// The only file that knows the CEL library: text in, our tree, types and values out.

const limits = { maxAstNodes: 500, maxDepth: 32, maxListElements: 500, maxMapEntries: 200, maxCallArguments: 8 };
const mixed = { homogeneousAggregateLiterals: false, limits } as const;

const evaluating = withOwnFunctions(new Environment({ ...mixed, unlistedVariablesAreDyn: true }));
const checking = withOwnFunctions(new Environment({ ...mixed, unlistedVariablesAreDyn: false }));

function withOwnFunctions(environment: Environment): Environment {
  return environment
    .registerFunction("string.glob(string): bool", (path: string, pattern: string) => patternMatches(pattern, path))
    .registerFunction("string.replace(string, string): string", (text: string, from: string, to: string) =>
      text.replaceAll(from, () => to),
    )
    .registerFunction("list.sort(): list", (items: readonly unknown[]) => sortItems(items))
    .registerFunction("string(google.protobuf.Timestamp): string", (instant: Date) => instant.toISOString());
}

/** Texts by UTF-16 units (as JCS sorts), numbers by size; anything else, or both together, has no order. */
function sortItems(items: readonly unknown[]): readonly unknown[] {
  const kinds = new Set(items.map((item) => (typeof item === "bigint" ? "number" : typeof item)));
  if (kinds.size > 1 || ![undefined, "string", "number"].includes([...kinds][0])) {
    throw new EvaluationError("sort() needs texts alone or numbers alone");
  }
  const ordered = items as readonly (string | number)[];
  return ordered.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

export interface CompiledExpression {
  readonly source: string;
  readonly tree: ExpressionTree;
  /** Runs with the roots of a scope as CEL values; throws what the library throws. */
  readonly run: (context: JsonObject) => unknown;
}

export type Compiled =
  | { readonly ok: true; readonly expression: CompiledExpression }
  | { readonly ok: false; readonly defect: ExpressionDefect };

const compiled = new Map<string, Compiled>();
const maxCompiled = 500;
const maxSource = 8192;

/** Parses an expression and checks its form; the result is kept, since every item of a forEach asks again. */
export function compileExpression(source: string): Compiled {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const result = compileAnew(source);
  if (compiled.size >= maxCompiled) compiled.clear();
  compiled.set(source, result);
  return result;
}

function compileAnew(source: string): Compiled {
  const refuse = (message: string, start: number): Compiled => ({
    ok: false,
    defect: { code: "EXPR_SYNTAX", message, fix: "Correct the expression.", start },
  });
  if (source.trim() === "") return refuse("the expression is empty", 0);
  if (source.length > maxSource) return refuse(`longer than ${String(maxSource)} characters`, 0);
  try {
    const parsed = evaluating.parse(source);
    const tree = treeOf(parsed.ast);
    const defect = formDefect(tree);
    if (defect !== null) return { ok: false, defect };
    return { ok: true, expression: { source, tree, run: (context) => parsed(context) as unknown } };
  } catch (error) {
    if (error instanceof ParseError) return refuse(parseMessage(error.summary), error.range?.start ?? 0);
    return refuse("it does not parse", 0);
  }
}

const capWords: Readonly<Record<string, string>> = {
  maxAstNodes: "parts",
  maxDepth: "levels",
  maxListElements: "items in a list",
  maxMapEntries: "entries in a mapping",
  maxCallArguments: "arguments",
};

/** What the library says, where its own words would not help. */
function parseMessage(summary: string): string {
  if (summary === "Unexpected token: EOF") return "it ends too early";
  const [, cap = "", most = ""] = /^Exceeded (\w+) \((\d+)\)$/.exec(summary) ?? [];
  return Object.hasOwn(capWords, cap) ? `it has more than ${most} ${capWords[cap] ?? ""}` : summary;
}

function treeOf(node: ASTNode): ExpressionTree {
  const { start } = node;
  if (node.op === "value") return { op: "literal", value: typeof node.args === "string" ? node.args : null, start };
  if (node.op === "id") return { op: "name", name: node.args, start };
  if (node.op === "list") return { op: "list", items: node.args.map(treeOf), start };
  if (node.op === "map") {
    return { op: "map", entries: node.args.map(([key, value]) => [treeOf(key), treeOf(value)] as const), start };
  }
  if (node.op === "call")
    return { op: "call", name: node.args[0], target: null, args: node.args[1].map(treeOf), start };
  if (node.op === "rcall") {
    return { op: "call", name: node.args[0], target: treeOf(node.args[1]), args: node.args[2].map(treeOf), start };
  }
  return accessOrOperator(node);
}

type OtherNode = Exclude<ASTNode, { readonly op: "value" | "id" | "list" | "map" | "call" | "rcall" }>;

function accessOrOperator(node: OtherNode): ExpressionTree {
  const { start } = node;
  if (node.op === "." || node.op === ".?") return { op: "member", of: treeOf(node.args[0]), key: node.args[1], start };
  if (node.op === "[]" || node.op === "[?]") {
    return { op: "index", of: treeOf(node.args[0]), key: treeOf(node.args[1]), start };
  }
  if (node.op === "!_" || node.op === "-_") return { op: "operator", name: node.op, args: [treeOf(node.args)], start };
  return { op: "operator", name: node.op, args: node.args.map(treeOf), start };
}

/** Type of a name for the check: a CEL type, or the members of a closed object. */
export type ExpressionType = string | { readonly [member: string]: ExpressionType };

export type CheckedType =
  | { readonly ok: true; readonly type: string }
  | { readonly ok: false; readonly defect: ExpressionDefect };

/** A check that knows the types of a place's names (`typesOf` makes them from JSON Schema). */
export interface ExpressionChecker {
  check(source: string): CheckedType;
}

const checkers = new Map<string, ExpressionChecker>();
const maxCheckers = 200;

/** Kept by the schemas: most steps of most DAGs see the same names, and an environment is costly. */
export function createChecker(schemas: Readonly<Record<string, ScopeSchema>>): ExpressionChecker {
  const key = JSON.stringify(schemas);
  const known = checkers.get(key);
  if (known !== undefined) return known;
  const checker = checkerAnew(schemas);
  if (checkers.size >= maxCheckers) checkers.clear();
  checkers.set(key, checker);
  return checker;
}

function checkerAnew(schemas: Readonly<Record<string, ScopeSchema>>): ExpressionChecker {
  const environment = checking.clone();
  const naming = { environment, count: 0 };
  for (const [name, schema] of Object.entries(schemas)) {
    const type = typeOfScope(schema, naming);
    if (typeof type === "string") environment.registerVariable(name, type);
    else environment.registerVariable({ name, schema: type });
  }
  return {
    check: (source) => {
      const { valid, type, error } = environment.check(source);
      if (valid) return { ok: true, type: type ?? "dyn" };
      const start = error?.range?.start ?? 0;
      const message = error?.summary ?? "it does not fit";
      const code = error?.code === "no_such_key" ? "EXPR_REFERENCE" : "EXPR_TYPE";
      return {
        ok: false,
        defect: { code, message: message.replace(/^No such/, "no such"), fix: fixOf(message), start },
      };
    },
  };
}

const fixOf = (message: string): string => {
  if (message.startsWith("No such key"))
    return "Correct the name; the schema of what it is read from has no such member.";
  if (message.includes("int") && message.includes("double")) return "Convert with int(…) or double(…).";
  if (message.startsWith("Ternary")) return "Make both branches one type, or wrap them in dyn(…).";
  return "Convert with string(…), int(…), double(…), or correct the name.";
};

/** What a name holds: JSON Schema, or an object of named parts (`steps`). */
export type ScopeSchema =
  | { readonly schema: Json | undefined }
  | { readonly parts: Readonly<Record<string, ScopeSchema>> };

interface Naming {
  readonly environment: Environment;
  count: number;
}

function typeOfScope(scope: ScopeSchema, naming: Naming): ExpressionType {
  if ("schema" in scope) return typeOfSchema(scope.schema, naming);
  return Object.fromEntries(Object.entries(scope.parts).map(([name, part]) => [name, typeOfScope(part, naming)]));
}

const scalarTypes: Readonly<Record<string, string>> = { string: "string", integer: "int", boolean: "bool" };

/** Only closed objects get members: an open one may hold more than its schema names. */
function typeOfSchema(schema: Json | undefined, naming: Naming): ExpressionType {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return "dyn";
  const node = schema as JsonObject;
  const type = node["type"];
  if (type === "array") return `list<${namedType(typeOfSchema(node["items"], naming), naming)}>`;
  // A `number` is an int or a double by its value: only the evaluation knows.
  if (type !== "object") return typeof type === "string" ? (scalarTypes[type] ?? "dyn") : "dyn";
  const properties = Object.entries((node["properties"] ?? {}) as JsonObject);
  if (node["additionalProperties"] !== false || properties.length === 0) return "map";
  return Object.fromEntries(properties.map(([key, property]) => [key, typeOfSchema(property, naming)]));
}

function namedType(type: ExpressionType, naming: Naming): string {
  if (typeof type === "string") return type;
  naming.count += 1;
  const name = `Item${String(naming.count)}`;
  naming.environment.registerType(name, { schema: type });
  return name;
}

/** What an evaluation's failure may say: the library's words without any value of the run. */
export function failureMessage(error: unknown): string {
  if (!(error instanceof EvaluationError) && !isLibraryError(error)) return "the evaluation failed";
  const { code, summary, node } = error as { code?: string; summary?: string; node?: { op?: string; args?: unknown } };
  if (code === "no_such_key") {
    const key = node?.op === "." && Array.isArray(node.args) ? String(node.args[1]) : null;
    return key === null ? "no such key or index" : `no such key: ${key} (test with has())`;
  }
  const withValues = ["bool_conversion_error", "invalid_duration", "numeric_overflow", "index_out_of_bounds"];
  if (code !== undefined && withValues.includes(code)) return code.replaceAll("_", " ");
  return summary ?? "the evaluation failed";
}

const isLibraryError = (error: unknown): boolean =>
  error instanceof Error && ["EvaluationError", "TypeError", "ParseError"].includes(error.name) && "summary" in error;
