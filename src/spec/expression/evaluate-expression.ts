import { canonicalText, type Json, type JsonObject, jsonDefect } from "../../base/index.ts";
import { type CompiledExpression, compileExpression, failureMessage } from "./expression.ts";
import { costDefect } from "./expression-cost.ts";
import { rootDefect } from "./expression-functions.ts";
import { scalarShape, shapeOfValues } from "./expression-shape.ts";
import { parseTemplate, templateTexts, wholeExpression } from "./expression-template.ts";
import { rootPaths } from "./expression-tree.ts";
import { celContext, fromCel, interpolated, maxResultChars, NotJson, TooMuch } from "./expression-values.ts";

/**
 * `value`: any JSON with `${{ }}` texts in it (a text that is one expression keeps the expression's type). `condition`:
 * one whole expression that must be true or false. `list`: one that must be a list, or a list written out.
 * Scope roots: inputs, steps.<id>.{status, outputs}, run, slot, index, and the item under its `as` name.
 */
export interface ExpressionRequest {
  /** Absent = `value`. */
  readonly kind?: "value" | "condition" | "list";
  readonly template: Json;
  readonly scope: JsonObject;
}

/** `message` may be shown to the tenant: it never holds a value of the run. */
export type ExpressionAnswer =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly code: "ERR_EXPR" | "EXPR_COST"; readonly message: string };

class Failed extends Error {
  readonly code: "ERR_EXPR" | "EXPR_COST";
  constructor(code: "ERR_EXPR" | "EXPR_COST", message: string) {
    super(message);
    this.code = code;
  }
}

/** Evaluates a template. Bad templates and values are answers, never exceptions; cost is bounded before anything runs. */
export function evaluateExpression({ kind, template, scope }: ExpressionRequest): ExpressionAnswer {
  try {
    const value = resolve(template, scope);
    if (kind === "condition" && typeof value !== "boolean")
      throw new Failed("ERR_EXPR", "the condition is neither true nor false");
    if (kind === "list" && !Array.isArray(value)) throw new Failed("ERR_EXPR", "forEach.in gives no list");
    const defect = jsonDefect(value);
    if (defect !== null) throw new Failed("ERR_EXPR", `the result is no JSON: ${defect.reason}`);
    if (canonicalText(value).length > maxResultChars) throw new Failed("EXPR_COST", "the result is over 1 MiB");
    return { ok: true, value };
  } catch (error) {
    if (error instanceof Failed) return { ok: false, code: error.code, message: error.message };
    // Recursion and "Invalid string length" end here as well: an expression never takes the thread down.
    return {
      ok: false,
      code: error instanceof RangeError ? "EXPR_COST" : "ERR_EXPR",
      message: "the evaluation failed",
    };
  }
}

function resolve(template: Json, scope: JsonObject): Json {
  if (typeof template === "string") return template.includes("${{") ? resolveText(template, scope) : template;
  if (typeof template !== "object" || template === null) return template;
  if (Array.isArray(template)) return (template as readonly Json[]).map((item) => resolve(item, scope));
  return Object.fromEntries(Object.entries(template).map(([key, member]) => [key, resolve(member, scope)]));
}

function resolveText(text: string, scope: JsonObject): Json {
  const template = parseTemplate(text);
  if (!template.ok) throw new Failed("ERR_EXPR", template.message);
  const whole = wholeExpression(template.parts);
  if (whole !== null) return resolveExpression(whole.source, scope);
  let length = 0;
  const parts = template.parts.map((part) => {
    const resolved = part.kind === "text" ? part.text : interpolated(resolveExpression(part.source, scope));
    length += resolved.length;
    if (length > maxResultChars) throw new Failed("EXPR_COST", "the text is over 1 MiB");
    return resolved;
  });
  return parts.join("");
}

function resolveExpression(source: string, scope: JsonObject): Json {
  const compiled = compileExpression(source);
  if (!compiled.ok)
    throw new Failed(compiled.defect.code === "EXPR_COST" ? "EXPR_COST" : "ERR_EXPR", compiled.defect.message);
  const { expression } = compiled;
  const unknown = rootDefect(expression.tree, Object.keys(scope));
  if (unknown !== null) throw new Failed("ERR_EXPR", unknown.message);
  const costly = costDefect(expression.tree, (name) =>
    Object.hasOwn(scope, name) ? shapeOfValues([scope[name] ?? null]) : scalarShape(0),
  );
  if (costly !== null) throw new Failed("EXPR_COST", costly);
  return run(expression, scope);
}

function run(expression: CompiledExpression, scope: JsonObject): Json {
  const context = celContext(
    scope,
    rootPaths(expression.tree).map(({ path }) => path),
  );
  try {
    return fromCel(expression.run(context));
  } catch (error) {
    if (error instanceof TooMuch) throw new Failed("EXPR_COST", error.message);
    if (error instanceof NotJson) throw new Failed("ERR_EXPR", `the result is ${error.message}`);
    if (error instanceof RangeError) throw new Failed("EXPR_COST", "the evaluation ran out of room");
    throw new Failed("ERR_EXPR", failureMessage(error));
  }
}

/** What the expressions of a template name, syntactically; sorted. Expressions that do not parse name nothing. */
export interface ExpressionRoots {
  /** Steps whose `outputs` are read. */
  readonly outputs: readonly string[];
  /** Steps whose `status` is read (row 7 of the truth table for `when`). */
  readonly status: readonly string[];
  /** Names besides `steps`. */
  readonly names: readonly string[];
}

export function expressionRoots(template: Json): ExpressionRoots {
  const found = { outputs: new Set<string>(), status: new Set<string>(), names: new Set<string>() };
  for (const { text } of templateTexts(template)) {
    const parsed = parseTemplate(text);
    for (const part of parsed.ok ? parsed.parts : []) {
      if (part.kind === "text") continue;
      const compiled = compileExpression(part.source);
      if (!compiled.ok) continue;
      for (const { path } of rootPaths(compiled.expression.tree)) addRoot(path, found);
    }
  }
  const sorted = (names: ReadonlySet<string>): readonly string[] => [...names].sort();
  return { outputs: sorted(found.outputs), status: sorted(found.status), names: sorted(found.names) };
}

function addRoot(path: readonly string[], found: Readonly<Record<keyof ExpressionRoots, Set<string>>>): void {
  const [root = "", step = "", member] = path;
  if (root !== "steps") found.names.add(root);
  else if (member === "outputs" || member === "status") found[member].add(step);
}
