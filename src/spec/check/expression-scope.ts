import type { Json, JsonObject } from "../../base/index.ts";
import { closest } from "../decode/closest.ts";
import {
  compileExpression,
  createChecker,
  type ExpressionChecker,
  type ScopeSchema,
} from "../expression/expression.ts";
import { type ExpressionDefect, scopeRoots } from "../expression/expression-functions.ts";
import { parseTemplate, wholeExpression } from "../expression/expression-template.ts";
import { type ExpressionTree, rootPaths } from "../expression/expression-tree.ts";
import { upstreamOf } from "./check-graph.ts";
import type { DagContext, DagDefect, PlacedStep } from "./dag-defect.ts";

/** The names that expressions at one place can see, with the schema of each. */
export interface Scope {
  readonly roots: Readonly<Record<string, ScopeSchema>>;
  readonly checker: ExpressionChecker;
  /** Says why a step cannot be read here, or null. */
  readonly stepDefect: (stepId: string) => Omit<ExpressionDefect, "start"> | null;
}

const text: ScopeSchema = { schema: { type: "string" } };
const slotScope: ScopeSchema = { parts: { utc: text, local: text, date: text, previous: text } };
const runFields = {
  tenant: text,
  dagId: text,
  runId: text,
  runNo: { schema: { type: "integer" } },
  now: text,
} as const;

const noSteps: Omit<ExpressionDefect, "start"> = {
  code: "EXPR_REFERENCE",
  message: "no step has run when a schedule fires",
  fix: "Read slot.utc, slot.local, slot.date or slot.previous.",
};

function scopeOf(roots: Readonly<Record<string, ScopeSchema>>, stepDefect: Scope["stepDefect"]): Scope {
  // With what the expression names alone: types of everything that a step could see cost more than the check itself.
  const check: ExpressionChecker["check"] = (source) => createChecker(namedRoots(source, roots)).check(source);
  return { roots, checker: { check }, stepDefect };
}

function namedRoots(
  source: string,
  roots: Readonly<Record<string, ScopeSchema>>,
): Readonly<Record<string, ScopeSchema>> {
  const compiled = compileExpression(source);
  if (!compiled.ok) return roots;
  const named: Record<string, ScopeSchema> = {};
  const steps: Record<string, Record<string, ScopeSchema>> = {};
  for (const { path } of rootPaths(compiled.expression.tree)) {
    const [root = "", step = "", member = ""] = path;
    const scope = partOf({ parts: roots }, root);
    if (scope === undefined) continue;
    if (root !== "steps") named[root] = scope;
    else {
      const part = partOf(partOf(scope, step), member);
      if (part !== undefined) steps[step] = { ...steps[step], [member]: part };
      named[root] = { parts: Object.fromEntries(Object.entries(steps).map(([id, parts]) => [id, { parts }])) };
    }
  }
  return named;
}

const partOf = (scope: ScopeSchema | undefined, key: string): ScopeSchema | undefined =>
  scope !== undefined && "parts" in scope && Object.hasOwn(scope.parts, key) ? scope.parts[key] : undefined;

/** What the inputs of a schedule can read. */
export const scheduleScope = (): Scope => scopeOf({ slot: slotScope }, () => noSteps);

/** What `when` and `forEach.in` of a step can read (`outer`), and what its `with` can (`inner`: the item and index too). */
export function stepScopes(
  placed: PlacedStep,
  steps: readonly PlacedStep[],
  inputsSchema: JsonObject,
  context: DagContext,
): { readonly outer: Scope; readonly inner: Scope } {
  const visible = visibleSteps(placed, steps);
  const stepDefect: Scope["stepDefect"] = (id) => stepReference(id, placed, steps, visible);
  const upstream = steps.filter(({ step }) => visible.has(step.stepId)).map((other) => stepScope(other, context));
  const roots: Readonly<Record<string, ScopeSchema>> = {
    inputs: { schema: inputsSchema },
    steps: { parts: Object.fromEntries(upstream) },
    run: { parts: placed.section === "finally" ? { ...runFields, status: text } : runFields },
    slot: slotScope,
  };
  const outer = scopeOf(roots, stepDefect);
  const { forEach } = placed.step;
  if (forEach === null || itemNameDefect(placed) !== null) return { outer, inner: outer };
  const item: ScopeSchema = { schema: itemSchema(forEach.in, roots) };
  return {
    outer,
    inner: scopeOf({ ...roots, index: { schema: { type: "integer" } }, [forEach.as]: item }, stepDefect),
  };
}

const takenNames = [
  ...[
    ...scopeRoots,
    "cel",
    "secrets",
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
  ],
  ...[
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
    "int",
    "uint",
  ],
  ...["double", "bool", "string", "bytes", "list", "map", "type", "dyn", "timestamp", "duration", "optional", "google"],
];

/** A name for the item that already means something. */
export function itemNameDefect({ step, pointer }: PlacedStep): DagDefect | null {
  if (step.forEach === null || !takenNames.includes(step.forEach.as)) return null;
  const message = `\`${step.forEach.as}\` is already a name in expressions`;
  return { code: "EXPR_REFERENCE", pointer: `${pointer}/forEach/as`, message, fix: "Choose another name." };
}

/** finally sees every step; a step sees what must have ended before it. */
function visibleSteps(placed: PlacedStep, steps: readonly PlacedStep[]): ReadonlySet<string> {
  const own = steps.filter(({ section }) => section === placed.section);
  const upstream = upstreamOf(placed.step.stepId, own);
  if (placed.section === "steps") return upstream;
  return new Set([...upstream, ...steps.filter(({ section }) => section === "steps").map(({ step }) => step.stepId)]);
}

function stepReference(
  id: string,
  placed: PlacedStep,
  steps: readonly PlacedStep[],
  visible: ReadonlySet<string>,
): Omit<ExpressionDefect, "start"> | null {
  if (visible.has(id)) return null;
  const exists = steps.some(({ step }) => step.stepId === id);
  if (exists && id !== placed.step.stepId) {
    const message = `step \`${id}\` need not have ended before \`${placed.step.stepId}\``;
    return { code: "EXPR_REFERENCE", message, fix: `Add \`needs: ${id}\`.` };
  }
  if (exists)
    return { code: "EXPR_REFERENCE", message: `\`${id}\` is this step itself`, fix: "Name an upstream step." };
  const near = closest(id, [...visible]);
  return {
    code: "EXPR_REFERENCE",
    message: `no step \`${id}\``,
    fix: near === null ? "Name an upstream step." : `Did you mean \`${near}\`?`,
  };
}

function stepScope({ step }: PlacedStep, context: DagContext): readonly [string, ScopeSchema] {
  const output: Json = context.plugin(step.uses)?.output ?? true;
  // With continueOnError an item that failed is null.
  const item: Json = step.continueOnError ? true : output;
  const outputs: Json =
    step.forEach === null ? output : { type: "array", items: item, maxItems: step.forEach.maxItems };
  return [step.stepId, { parts: { outputs: { schema: outputs }, status: text } }];
}

/** Schema of a forEach item, where `in` is a plain path into an output; anything else may be anything. */
function itemSchema(list: string | readonly Json[], roots: Readonly<Record<string, ScopeSchema>>): Json {
  if (typeof list !== "string") return true;
  const parsed = parseTemplate(list);
  const whole = parsed.ok ? wholeExpression(parsed.parts) : null;
  const compiled = whole === null ? null : compileExpression(whole.source);
  if (compiled?.ok !== true) return true;
  const path = plainPath(compiled.expression.tree);
  const schema = path === null ? undefined : schemaAt(path, roots);
  const items = isObject(schema) ? schema["items"] : undefined;
  return items ?? true;
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function plainPath(tree: ExpressionTree): readonly string[] | null {
  if (tree.op === "name") return [tree.name];
  const path = tree.op === "member" ? plainPath(tree.of) : null;
  return path === null || tree.op !== "member" ? null : [...path, tree.key];
}

function schemaAt(path: readonly string[], roots: Readonly<Record<string, ScopeSchema>>): Json | undefined {
  let at: ScopeSchema | undefined = { parts: roots };
  for (const key of path) {
    if (at === undefined) return undefined;
    if ("parts" in at) at = Object.hasOwn(at.parts, key) ? at.parts[key] : undefined;
    else {
      const properties: JsonObject = isObject(at.schema) ? ((at.schema["properties"] ?? {}) as JsonObject) : {};
      at = Object.hasOwn(properties, key) ? { schema: properties[key] } : undefined;
    }
  }
  return at !== undefined && "schema" in at ? at.schema : undefined;
}
