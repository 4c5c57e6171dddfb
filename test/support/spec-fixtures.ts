import { readFileSync } from "node:fs";
import type { JsonObject } from "../../src/base/index.ts";
import {
  checkDag,
  type DagContext,
  type DagSpec,
  decodeDocument,
  type Finding,
  type PluginManifest,
  type SpecDocument,
} from "../../src/spec/index.ts";

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A file of specs-example/. */
export const exampleBytes = (path: string): Uint8Array =>
  readFileSync(new URL(`../../specs-example/${path}`, import.meta.url));

/** Decodes text that must be valid. */
export function decoded(path: string, text: string): SpecDocument {
  const result = decodeDocument({ path, bytes: bytesOf(text) });
  if (!result.ok) throw new Error(`unexpected findings: ${JSON.stringify(result.findings, null, 2)}`);
  return result.document;
}

export function decodedDag(text: string): SpecDocument & { readonly kind: "Dag" } {
  const document = decoded("tenants/acme/dags/sample.yaml", text);
  if (document.kind !== "Dag") throw new Error("not a DAG");
  return document;
}

/** A DAG whose spec holds these lines, indented by two. */
export const dagText = (spec: string): string => `apiVersion: orrery/v1\nkind: Dag\nspec:\n${indented(spec, 2)}\n`;

const indented = (text: string, by: number): string =>
  text
    .split("\n")
    .map((line) => (line === "" ? line : " ".repeat(by) + line))
    .join("\n");

/** Text with one `§` before the token that a finding must name; answers the text without it and the place. */
export function marked(text: string): { readonly text: string; readonly line: number; readonly col: number } {
  const at = text.indexOf("§");
  if (at < 0) return { text, line: 0, col: 0 };
  const before = text.slice(0, at);
  const line = before.split("\n").length;
  return { text: before + text.slice(at + 1), line, col: at - (before.lastIndexOf("\n") + 1) + 1 };
}

const open: JsonObject = { type: "object" };
const closed = (properties: JsonObject, required: readonly string[] = []): JsonObject => ({
  type: "object",
  additionalProperties: false,
  required,
  properties,
});

function manifest(name: string, input: JsonObject, output: JsonObject, network = false): PluginManifest {
  return {
    name,
    version: "1.0.0",
    service: name.slice(0, name.indexOf(".")),
    emits: "raw",
    sha256: "0".repeat(64),
    effects: "none",
    needs: { network, builtins: [], secrets: [] },
    isolation: "realm",
    nondeterministic: false,
    input,
    output,
  };
}

const documents: JsonObject = {
  type: "array",
  maxItems: 100,
  items: closed({ path: { type: "string" }, bytes: { type: "integer" } }),
};

const samplePlugins: Readonly<Record<string, PluginManifest>> = {
  "core.log@1.0.0": manifest(
    "core.log",
    closed({ message: { type: "string" }, level: { enum: ["info", "warn"] }, count: { type: "integer" } }, ["message"]),
    closed({ message: { type: "string" } }),
  ),
  "core.files@1.0.0": manifest("core.files", closed({}), closed({ documents })),
  "core.js@1.0.0": manifest("core.js", open, open),
  "notify.post@1.0.0": manifest("notify.post", open, closed({ delivered: { type: "boolean" } }), true),
};

export function sampleContext(
  document: Pick<SpecDocument, "path" | "positions">,
  own: Partial<DagContext> = {},
): DagContext {
  return {
    path: document.path,
    positions: document.positions,
    plugin: ({ name, version }) => samplePlugins[`${name}@${version}`] ?? null,
    files: ["vex/a.json", "vex/b.json"],
    checkSchedule: () => null,
    ...own,
  };
}

export function lint(text: string, own: Partial<DagContext> = {}): readonly Finding[] {
  const document = decodedDag(text);
  return checkDag(document.spec, sampleContext(document, own));
}

export const sampleDag = (text: string): DagSpec => decodedDag(text).spec;
