import { closest } from "../decode/closest.ts";
import { dynamicKey, type ExpressionTree, macroOf, partsOf, rootPaths } from "./expression-tree.ts";

/** `[least, most]` arguments; a method has a target before its dot. */
interface FunctionRule {
  readonly args: readonly [least: number, most: number];
  readonly form: "method" | "function" | "both";
}

const method = (least: number, most = least): FunctionRule => ({ args: [least, most], form: "method" });
const plain = (least: number, most = least): FunctionRule => ({ args: [least, most], form: "function" });

/**
 * All that an expression may call: CEL's own, without what could hang (`matches`), depend on the machine's zone data
 * (time parts of a named zone) or make no JSON (bytes, uint, type), and four of ours (glob, replace, sort, string(time)).
 */
const expressionFunctions: Readonly<Record<string, FunctionRule>> = {
  size: { args: [0, 1], form: "both" },
  has: plain(1),
  string: plain(1),
  int: plain(1),
  double: plain(1),
  bool: plain(1),
  dyn: plain(1),
  timestamp: plain(1),
  duration: plain(1),
  all: method(2),
  exists: method(2),
  exists_one: method(2),
  map: method(2, 3),
  filter: method(2),
  bind: method(3),
  contains: method(1),
  startsWith: method(1),
  endsWith: method(1),
  indexOf: method(1, 2),
  lastIndexOf: method(1, 2),
  substring: method(1, 2),
  lowerAscii: method(0),
  upperAscii: method(0),
  trim: method(0),
  split: method(1, 2),
  join: method(0, 1),
  glob: method(1),
  replace: method(2),
  sort: method(0),
  getFullYear: method(0),
  getMonth: method(0),
  getDate: method(0),
  getDayOfMonth: method(0),
  getDayOfWeek: method(0),
  getDayOfYear: method(0),
  getHours: method(0),
  getMinutes: method(0),
  getSeconds: method(0),
  getMilliseconds: method(0),
};

/** Names of all that may be called, in the order of the table. */
export const expressionFunctionNames: readonly string[] = Object.keys(expressionFunctions);

/** Roots that a scope may have; `item` stands under its own name. */
export const scopeRoots = ["inputs", "steps", "run", "slot", "index"] as const;

export interface ExpressionDefect {
  readonly code: "EXPR_REFERENCE" | "EXPR_SYNTAX" | "SECRET_IN_EXPRESSION" | "EXPR_COST" | "EXPR_TYPE";
  readonly message: string;
  readonly fix: string;
  readonly start: number;
}

/** What is wrong with an expression by its form alone: functions that are not there, names that shadow, bare `steps`. */
export function formDefect(tree: ExpressionTree): ExpressionDefect | null {
  const macro = macroOf(tree);
  const own = tree.op === "call" ? callDefect(tree) : null;
  if (own !== null) return own;
  if (macro !== null && [...scopeRoots, "cel", "secrets"].includes(macro.variable)) {
    const fix = "Choose another name for the variable.";
    return { code: "EXPR_SYNTAX", message: `\`${macro.variable}\` is already a name here`, fix, start: tree.start };
  }
  const parts = macro === null ? partsOf(tree) : [macro.over, ...macro.bodies];
  for (const part of parts) {
    const defect = formDefect(part);
    if (defect !== null) return defect;
  }
  return null;
}

function callDefect(tree: ExpressionTree & { readonly op: "call" }): ExpressionDefect | null {
  const rule = Object.hasOwn(expressionFunctions, tree.name) ? expressionFunctions[tree.name] : undefined;
  if (rule === undefined) return unknownFunction(tree.name, tree.start);
  const refuse = (message: string, fix: string): ExpressionDefect => ({
    code: "EXPR_SYNTAX",
    message,
    fix,
    start: tree.start,
  });
  const isMethod = tree.target !== null;
  if (rule.form !== "both" && isMethod !== (rule.form === "method")) {
    if (isMethod) return refuse(`\`${tree.name}\` is no method`, `Write ${tree.name}(…).`);
    return refuse(`\`${tree.name}\` is a method`, `Write value.${tree.name}(…).`);
  }
  const [least, most] = rule.args;
  if (tree.args.length >= least && tree.args.length <= most) return null;
  const wanted = least === most ? String(least) : `${String(least)} to ${String(most)}`;
  return refuse(`\`${tree.name}\` takes ${wanted} arguments`, "Correct the call.");
}

function unknownFunction(name: string, start: number): ExpressionDefect {
  if (name === "matches") {
    const fix = "Use startsWith, endsWith, contains or glob.";
    return { code: "EXPR_REFERENCE", message: "`matches` could run for ever", fix, start };
  }
  const foreign = Object.hasOwn(foreignFunctions, name) ? foreignFunctions[name] : undefined;
  const near = closest(name, Object.keys(expressionFunctions));
  const known = `Known: ${Object.keys(expressionFunctions).join(", ")}.`;
  const fix = foreign ?? (near === null ? known : `Did you mean \`${near}\`?`);
  return { code: "EXPR_REFERENCE", message: `no function \`${name}\``, fix, start };
}

const status =
  "Ask for a status: steps.<step>.status == 'succeeded' | 'failed' | 'timed_out' | 'skipped' | 'cancelled'.";
const asJson = 'Text around an expression makes JSON of it: "got ${{ inputs.names }}".';

/** Functions of GitHub Actions, Argo and Airflow, and what is written here. */
const foreignFunctions: Readonly<Record<string, string>> = {
  success: `A step runs when all it needs succeeded: leave it out. ${status}`,
  failure: status,
  always: `Put the step under \`finally\`. ${status}`,
  cancelled: "Put the step under `finally` and ask for run.status == 'cancelled'.",
  toJSON: asJson,
  toJson: asJson,
  fromJSON: "Outputs and inputs are values already: name the member.",
  fromJson: "Outputs and inputs are values already: name the member.",
  format: 'Write the text round it: "n is ${{ inputs.n }}".',
  hashFiles: "A step's files are pinned by the commit: name them under `files`.",
  len: "Write size(…).",
  length: "Write size(…).",
  upper: "Write value.upperAscii().",
  toUpper: "Write value.upperAscii().",
  lower: "Write value.lowerAscii().",
  toLower: "Write value.lowerAscii().",
  asInt: "Write int(…).",
  asFloat: "Write double(…).",
  now: "Write run.now or slot.utc: a run sees one time alone.",
  ds_add: "Write string(timestamp(slot.utc) + duration('24h')).",
};

const foreignRoots: Readonly<Record<string, string>> = {
  needs: "Write steps.<step>.outputs.",
  jobs: "Write steps.<step>.outputs.",
  tasks: "Write steps.<step>.outputs.",
  env: "There is no environment: pass values as inputs.",
  vars: "Pass values as inputs.",
  params: "Write inputs.<name>.",
  parameters: "Write inputs.<name>.",
  github: "Write run.tenant, run.dagId, run.runId, run.runNo or run.now.",
  job: "Write steps.<step>.status, or run.status under `finally`.",
  runner: "A step does not see the machine that it runs on.",
  strategy: "Write the name that forEach gives its item with `as`, or index.",
  ds: "Write slot.date.",
  ts: "Write slot.utc.",
  execution_date: "Write slot.utc.",
  logical_date: "Write slot.utc.",
  data_interval_start: "Write slot.previous.",
  data_interval_end: "Write slot.utc.",
  dag_run: "Write run.<field>, or inputs.<name> for what a start gives.",
  task_instance: "Write steps.<step>.outputs.",
  ti: "Write steps.<step>.outputs.",
  macros: "Write timestamp(slot.utc) and duration('24h').",
  context: "Write run.<field>.",
  workflow: "Write run.<field>, or inputs.<name>.",
  pod: "A step does not see the machine that it runs on.",
  matrix: "Write the name that forEach gives its item with `as`.",
  item: "An item has a name only with forEach: `forEach: { in: …, as: item }`.",
};

/** A free name that this place does not have; `known` = the names it has. */
export function rootDefect(tree: ExpressionTree, known: readonly string[]): ExpressionDefect | null {
  for (const { path, start } of rootPaths(tree)) {
    const defect = pathDefect(path, known);
    if (defect !== null) return { ...defect, start };
  }
  return null;
}

function pathDefect(path: readonly string[], known: readonly string[]): Omit<ExpressionDefect, "start"> | null {
  const [root = "", step = dynamicKey, member = ""] = path;
  if (root === "secrets") {
    const message = "secrets are no expressions: the value would enter hashes and records";
    return { code: "SECRET_IN_EXPRESSION", message, fix: "A plugin reads a secret from ctx.secrets." };
  }
  if (root === "cel" && path.length === 1) return null;
  if (!known.includes(root)) return unknownRoot(root, known);
  if (root !== "steps" || (step !== dynamicKey && ["outputs", "status"].includes(member))) return null;
  const message = "a step is named in full, with what is read of it";
  const fix = "Write steps.<step>.outputs or steps.<step>.status; `a-b` is a subtraction, so a step's id has `_`.";
  return { code: "EXPR_REFERENCE", message, fix };
}

function unknownRoot(root: string, known: readonly string[]): Omit<ExpressionDefect, "start"> {
  const near = closest(root, known);
  const other = near === null ? `Known here: ${known.join(", ")}.` : `Did you mean \`${near}\`?`;
  return { code: "EXPR_REFERENCE", message: `\`${root}\` is not known here`, fix: foreignRoots[root] ?? other };
}
