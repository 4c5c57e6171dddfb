import { lstatSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { canonicalText, Fault, type Json, type JsonObject } from "../../base/index.ts";
import type { PluginSource } from "./plugin-source.ts";
import type { TaskAnswer } from "./task-bench.ts";
import type { TaskAsk } from "./task-request.ts";

/** A file of examples/: what is asked, and what must come of it. */
export interface ExampleCase {
  /** The file's name without its ending. */
  readonly name: string;
  readonly ask: TaskAsk;
  /** null = it only has to succeed. */
  readonly expect: { readonly output: Json } | { readonly code: string } | null;
}

const keys = ["input", "files", "now", "secrets", "network", "limits", "expect"];

/** By name; none is a Fault NOT_FOUND, a wrong one a Fault USAGE that names the file. */
export function readExamples({ root, dir }: PluginSource): readonly ExampleCase[] {
  const folder = path.join(root, dir, "examples");
  const names = listed(folder)
    .filter((name) => name.endsWith(".json"))
    .sort();
  if (names.length === 0) throw new Fault("NOT_FOUND", `${dir}/examples/ has no .json file: { "input": {…} }`);
  return names.map((name) => readExample(path.join(folder, name), `${dir}/examples/${name}`));
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readExample(file: string, shown: string): ExampleCase {
  const wrong = (what: string): Fault => new Fault("USAGE", `${shown}: ${what}`);
  if (!lstatSync(file).isFile()) throw wrong("it is no regular file");
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : "no JSON");
  }
  if (!isObject(value) || !isObject(value["input"])) throw wrong('an example is { "input": {…}, "expect": {…} }');
  const stray = Object.keys(value).find((key) => !keys.includes(key));
  if (stray !== undefined) throw wrong(`"${stray}" is none of ${keys.join(", ")}`);
  const { expect, ...ask } = value;
  checkMaps(ask, wrong);
  return { name: path.basename(file, ".json"), ask: ask as unknown as TaskAsk, expect: expectation(expect, wrong) };
}

function checkMaps(ask: JsonObject, wrong: (what: string) => Fault): void {
  for (const key of ["files", "secrets", "limits"]) {
    const map = ask[key] ?? {};
    if (!isObject(map) || Object.values(map).some((text) => typeof text !== "string"))
      throw wrong(`"${key}" maps names to texts`);
  }
  const network = ask["network"] ?? [];
  if (!Array.isArray(network) || network.some((target) => typeof target !== "string"))
    throw wrong('"network" is a list of "host:port"');
  if (ask["now"] !== undefined && typeof ask["now"] !== "string") throw wrong('"now" is an instant as text');
}

function expectation(expect: Json | undefined, wrong: (what: string) => Fault): ExampleCase["expect"] {
  if (expect === undefined) return null;
  const [key, ...more] = isObject(expect) ? Object.keys(expect) : [];
  if (isObject(expect) && more.length === 0) {
    if (key === "output" && expect["output"] !== undefined) return { output: expect["output"] };
    if (key === "code" && typeof expect["code"] === "string") return { code: expect["code"] };
  }
  throw wrong('"expect" is { "output": … } or { "code": "STEP_FAILED" }');
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What is wrong with an answer; null = nothing. */
export function defectOf({ expect }: ExampleCase, answer: TaskAnswer): string | null {
  const came = answer.status === "succeeded" ? `output ${JSON.stringify(answer.output)}` : failureText(answer);
  if (expect === null) return answer.status === "succeeded" ? null : came;
  if ("code" in expect) return answer.code === expect.code ? null : `expected ${expect.code}, got ${came}`;
  const isEqual = answer.status === "succeeded" && canonicalText(answer.output) === canonicalText(expect.output);
  return isEqual ? null : `expected output ${JSON.stringify(expect.output)}, got ${came}`;
}

const failureText = ({ status, code, message }: TaskAnswer): string => `${status} ${code ?? ""}: ${message ?? ""}`;
