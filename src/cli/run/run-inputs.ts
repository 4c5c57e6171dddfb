import type { Json, JsonObject } from "../../base/index.ts";
import { usage } from "../terminal.ts";

/** `name=value` pairs of `-i`; a value is JSON where it parses, else text. Fault USAGE. */
export function inputsOf(pairs: readonly string[]): JsonObject {
  const inputs: Record<string, Json> = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) throw usage(`-i ${pair}: write name=value`);
    const name = pair.slice(0, at);
    if (Object.hasOwn(inputs, name)) throw usage(`-i ${name}: given twice`);
    inputs[name] = valueOf(pair.slice(at + 1));
  }
  return inputs;
}

function valueOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
