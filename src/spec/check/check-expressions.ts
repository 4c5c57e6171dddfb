import type { Json, JsonObject } from "../../base/index.ts";
import { closest } from "../decode/closest.ts";
import { lastSegment, pointerTo } from "../decode/positions.ts";
import { compileExpression, type ScopeSchema } from "../expression/expression.ts";
import { costDefect } from "../expression/expression-cost.ts";
import { type ExpressionDefect, rootDefect } from "../expression/expression-functions.ts";
import { type Shape, shapeOfSchema, unknownShape } from "../expression/expression-shape.ts";
import { parseTemplate, type TemplatePart, templateTexts, wholeExpression } from "../expression/expression-template.ts";
import { dynamicKey, type ExpressionTree, rootPaths } from "../expression/expression-tree.ts";
import type { DagSpec } from "../normal/dag-spec.ts";
import type { DagContext, DagDefect, PlacedStep } from "./dag-defect.ts";
import { isObject, itemNameDefect, type Scope, scheduleScope, stepScopes } from "./expression-scope.ts";

/** Form, reference, type and cost of every expression of a DAG. */
export function checkExpressions(
  dag: DagSpec,
  steps: readonly PlacedStep[],
  context: DagContext,
): readonly DagDefect[] {
  const ofSteps = steps.flatMap((placed) => checkStep(placed, steps, dag.inputsSchema, context));
  const ofSchedules = dag.schedules.flatMap((schedule, index) =>
    checkTemplates(schedule.inputs, `/spec/schedules/${String(index)}/inputs`, scheduleScope(), dag.inputsSchema),
  );
  return [...ofSteps, ...ofSchedules];
}

function checkStep(
  placed: PlacedStep,
  steps: readonly PlacedStep[],
  inputsSchema: JsonObject,
  context: DagContext,
): readonly DagDefect[] {
  const { step, pointer } = placed;
  // Most steps hold no expression, and a scope with its types is the costly part.
  if (templateTexts([step.when, step.with, step.forEach?.in ?? null]).length === 0 && step.forEach === null) {
    return templateKeys(step.with, `${pointer}/with`);
  }
  const { outer, inner } = stepScopes(placed, steps, inputsSchema, context);
  const named = itemNameDefect(placed);
  const input = context.plugin(step.uses)?.input ?? true;
  return [
    ...(step.when === null ? [] : checkWhole(step.when, `${pointer}/when`, outer, "bool")),
    ...checkList(step.forEach?.in ?? null, `${pointer}/forEach/in`, outer),
    ...(named === null ? checkTemplates(step.with, `${pointer}/with`, inner, input) : [named]),
  ];
}

function checkList(list: string | readonly Json[] | null, pointer: string, scope: Scope): readonly DagDefect[] {
  if (list === null) return [];
  return typeof list === "string"
    ? checkWhole(list, pointer, scope, "list")
    : checkTemplates(list, pointer, scope, true);
}

function checkWhole(template: string, pointer: string, scope: Scope, wanted: "bool" | "list"): readonly DagDefect[] {
  const parsed = parseTemplate(template);
  const whole = parsed.ok ? wholeExpression(parsed.parts) : null;
  if (whole === null) {
    const message = parsed.ok ? "text around the expression" : parsed.message;
    return [{ code: "EXPR_SYNTAX", pointer, message, fix: "Write one whole ${{ }} expression." }];
  }
  const checked = checkPart(whole, pointer, scope);
  if ("defects" in checked) return checked.defects;
  if (fits(checked.type, wanted === "bool" ? ["boolean"] : ["array"])) return [];
  const message =
    wanted === "bool"
      ? `a condition must be true or false, this is ${checked.type}`
      : `forEach needs a list, this is ${checked.type}`;
  return [
    { code: "EXPR_TYPE", pointer, message, fix: wanted === "bool" ? "Compare it with something." : "Name a list." },
  ];
}

function checkTemplates(value: Json, pointer: string, scope: Scope, schema: Json): readonly DagDefect[] {
  const keys = templateKeys(value, pointer);
  return [
    ...keys,
    ...templateTexts(value).flatMap((found) => checkText(found.text, pointer, found.pointer, { scope, schema })),
  ];
}

function checkText(
  template: string,
  base: string,
  at: string,
  { scope, schema }: { readonly scope: Scope; readonly schema: Json },
): readonly DagDefect[] {
  const pointer = base + at;
  const parsed = parseTemplate(template);
  if (!parsed.ok) {
    return [{ code: "EXPR_SYNTAX", pointer, message: parsed.message, fix: "Close it with }}.", offset: parsed.offset }];
  }
  const whole = wholeExpression(parsed.parts);
  if (whole === null) return checkInterpolated(parsed.parts, pointer, scope, schemaAtPointer(schema, at));
  const checked = checkPart(whole, pointer, scope);
  if ("defects" in checked) return checked.defects;
  const why = unfit(checked.type, schemaAtPointer(schema, at));
  if (why === null) return [];
  const message = `${lastSegment(pointer)} takes ${why}, this is ${checked.type}`;
  return [{ code: "EXPR_TYPE", pointer, message, fix: "Convert it, or name another value." }];
}

/** Whatever its expressions give, text around them makes it a text. */
function checkInterpolated(
  parts: readonly TemplatePart[],
  pointer: string,
  scope: Scope,
  schema: Json | undefined,
): readonly DagDefect[] {
  const defects = parts.flatMap((part) => {
    const checked = part.kind === "text" ? null : checkPart(part, pointer, scope);
    return checked !== null && "defects" in checked ? checked.defects : [];
  });
  const why = unfit("string", schema);
  if (defects.length > 0 || why === null) return defects;
  const message = `${lastSegment(pointer)} takes ${why}; text around an expression makes a text`;
  return [{ code: "EXPR_TYPE", pointer, message, fix: "Write one whole ${{ }} expression." }];
}

/** Keys are never evaluated: a `${{` there would stay as it is, silently. */
function templateKeys(value: Json, pointer: string): readonly DagDefect[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]): readonly DagDefect[] => {
    const at = pointerTo(pointer, key);
    const below = templateKeys(member, at);
    if (Array.isArray(value) || !key.includes("${{")) return below;
    return [
      { code: "EXPR_SYNTAX", pointer: at, what: "key", message: "a key is no expression", fix: "Write the key out." },
      ...below,
    ];
  });
}

type CheckedPart = { readonly type: string } | { readonly defects: readonly DagDefect[] };

function checkPart(part: TemplatePart & { readonly kind: "expression" }, pointer: string, scope: Scope): CheckedPart {
  const refuse = ({ start, ...defect }: ExpressionDefect): CheckedPart => ({
    defects: [{ ...defect, pointer, offset: part.offset + start }],
  });
  const compiled = compileExpression(part.source);
  if (!compiled.ok) return refuse(compiled.defect);
  const { tree } = compiled.expression;
  const unknown = referenceDefect(tree, scope) ?? rootDefect(tree, Object.keys(scope.roots));
  if (unknown !== null) return refuse(unknown);
  const checked = scope.checker.check(part.source);
  if (!checked.ok) return refuse(checked.defect);
  const costly = costDefect(tree, (name) => rootShape(scope.roots[name]));
  if (costly !== null) {
    return refuse({
      code: "EXPR_COST",
      message: costly,
      fix: "Use fewer nested macros, or lists with a smaller maxItems.",
      start: 0,
    });
  }
  return { type: checked.type };
}

/** Steps and inputs that are not there, in words that name what is. */
function referenceDefect(tree: ExpressionTree, scope: Scope): ExpressionDefect | null {
  for (const { path, start } of rootPaths(tree)) {
    const [root, name, member] = path;
    if (name === undefined || name === dynamicKey) continue;
    const isStep = root === "steps" && (member === "outputs" || member === "status");
    const defect = isStep
      ? scope.stepDefect(name)
      : root === "inputs"
        ? inputDefect(name, scope.roots["inputs"])
        : null;
    if (defect !== null) return { ...defect, start };
  }
  return null;
}

function inputDefect(name: string, scope: ScopeSchema | undefined): Omit<ExpressionDefect, "start"> | null {
  const schema = scope !== undefined && "schema" in scope ? scope.schema : undefined;
  if (!isObject(schema) || schema["additionalProperties"] !== false) return null;
  const known = Object.keys((schema["properties"] ?? {}) as JsonObject);
  if (known.includes(name)) return null;
  const near = closest(name, known);
  const others = known.length === 0 ? "This DAG has no inputs." : `Known: ${known.join(", ")}.`;
  const fix = near === null ? others : `Did you mean \`${near}\`?`;
  return { code: "EXPR_REFERENCE", message: `no input \`${name}\``, fix };
}

function rootShape(scope: ScopeSchema | undefined): Shape {
  if (scope === undefined) return unknownShape;
  if ("schema" in scope) return shapeOfSchema(scope.schema);
  const parts = scope.parts;
  return { ...unknownShape, member: (key) => rootShape(Object.hasOwn(parts, key) ? parts[key] : undefined) };
}

const celTypes: Readonly<Record<string, readonly string[]>> = {
  string: ["string"],
  int: ["integer", "number"],
  double: ["number"],
  bool: ["boolean"],
  null: ["null"],
};

function fits(type: string, wanted: readonly string[]): boolean {
  if (type === "dyn") return true;
  const known = celTypes[type] ?? (type === "list" || type.startsWith("list<") ? ["array"] : null);
  if (known !== null) return known.some((json) => wanted.includes(json));
  // Maps and named objects; times fail later, by name.
  return wanted.includes("object");
}

/** The types that a schema takes where an expression of another type stands; null = it may fit. */
function unfit(type: string, schema: Json | undefined): string | null {
  if (!isObject(schema) || schema["type"] === undefined) return null;
  const wanted = [schema["type"]].flat() as readonly string[];
  if (!fits(type, wanted)) return wanted.join(" or ");
  const item = /^list<(.*)>$/.exec(type)?.[1];
  const why = item === undefined ? null : unfit(item, schema["items"]);
  return why === null ? null : `a list of ${why}`;
}

/** The part of a schema that judges a pointer of its value; undefined = anything. */
export function schemaAtPointer(schema: Json, pointer: string): Json | undefined {
  let at: Json | undefined = schema;
  for (const raw of pointer.split("/").slice(1)) {
    if (!isObject(at)) return undefined;
    const key = lastSegment(`/${raw}`);
    const properties = (at["properties"] ?? {}) as JsonObject;
    at =
      at["type"] === "array"
        ? at["items"]
        : Object.hasOwn(properties, key)
          ? properties[key]
          : at["additionalProperties"];
  }
  return at;
}
