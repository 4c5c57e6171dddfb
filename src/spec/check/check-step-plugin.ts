import type { Json, JsonObject } from "../../base/index.ts";
import { closest } from "../decode/closest.ts";
import { lastSegment } from "../decode/positions.ts";
import { templateTexts } from "../expression/expression-template.ts";
import type { PluginManifest } from "../normal/plugin-manifest.ts";
import { type ValueDefect, valueDefects } from "../value/value-schema.ts";
import { schemaAtPointer } from "./check-expressions.ts";
import type { DagContext, DagDefect, PlacedStep } from "./dag-defect.ts";
import { isObject } from "./expression-scope.ts";

/** The plugin is there, `code` stands where it belongs, and the constants of `with` fit its input. */
export function checkStepPlugin({ step, pointer }: PlacedStep, context: DagContext): readonly DagDefect[] {
  const { name, version } = step.uses;
  const code = checkCode({ step, pointer });
  const manifest = context.plugin(step.uses);
  if (manifest === null) {
    const message = `no plugin ${name}@${version} in this repository`;
    const fix = `Add plugins/${name}/${version}/plugin.yaml, or use another version.`;
    return [...code, { code: "PLUGIN_UNKNOWN", pointer: `${pointer}/uses`, message, fix }];
  }
  return [
    ...code,
    ...checkNetwork({ step, pointer }, manifest),
    ...checkSecrets({ step, pointer }, manifest),
    ...checkWith(step.with, `${pointer}/with`, manifest),
  ];
}

function checkCode({ step, pointer }: Pick<PlacedStep, "step" | "pointer">): readonly DagDefect[] {
  const takesCode = step.uses.name === "core.js";
  if (takesCode && step.code === null) {
    const fix = "Add `code: |` with one function (input, ctx) => output.";
    return [{ code: "STEP_CODE", pointer, what: "key", message: "core.js needs `code`", fix }];
  }
  if (takesCode || step.code === null) return [];
  const message = `${step.uses.name} takes no code`;
  return [{ code: "STEP_CODE", pointer: `${pointer}/code`, what: "key", message, fix: "Remove it, or use core.js." }];
}

function checkNetwork(
  { step, pointer }: Pick<PlacedStep, "step" | "pointer">,
  manifest: PluginManifest,
): readonly DagDefect[] {
  if (step.network.length === 0 || manifest.needs.network) return [];
  const message = `${manifest.name} does not use the network`;
  const fix = "Remove `network`; its plugin.yaml does not say needs: { network: true }.";
  return [{ code: "STEP_INPUT", pointer: `${pointer}/network`, what: "key", message, fix, severity: "warning" }];
}

/** Each secret that the plugin needs is given, and none that it does not take. */
function checkSecrets(
  { step, pointer }: Pick<PlacedStep, "step" | "pointer">,
  { name: plugin, needs }: PluginManifest,
): readonly DagDefect[] {
  const takes = needs.secrets.map(({ name }) => name);
  const unknown = Object.keys(step.secrets).filter((name) => !takes.includes(name));
  const missing = needs.secrets.filter(({ name, optional }) => !optional && !Object.hasOwn(step.secrets, name));
  return [
    ...unknown.map((name) => ({
      ...{ code: "STEP_SECRETS" as const, pointer: `${pointer}/secrets/${name}`, what: "key" as const },
      message: `${plugin} takes no secret \`${name}\``,
      fix: takes.length === 0 ? "Remove it." : `Remove it, or give one of ${takes.join(", ")}.`,
    })),
    ...missing.map(({ name }) => ({
      ...{ code: "STEP_SECRETS" as const, pointer, what: "key" as const },
      message: `${plugin} needs the secret \`${name}\``,
      fix: `Add secrets: { ${name}: <name of the tenant's secret> }.`,
    })),
  ];
}

const wholeValueRules = ["enum", "const", "uniqueItems", "anyOf", "oneOf", "allOf"];

function checkWith(input: JsonObject, pointer: string, manifest: PluginManifest): readonly DagDefect[] {
  const evaluated = templateTexts(input).map((text) => text.pointer);
  const within = (at: string): boolean => evaluated.some((text) => text === at || at.startsWith(`${text}/`));
  const above = (at: string): boolean => evaluated.some((text) => text.startsWith(`${at}/`));
  return (
    valueDefects(manifest.input, input as Json, "all")
      .filter((defect) => !within(defect.pointer))
      // A rule about a whole value cannot be judged while a part of it is not known.
      .filter((defect) => !(above(defect.pointer) && wholeValueRules.includes(defect.keyword)))
      .filter((defect) => !(defect.inBranch && evaluated.length > 0))
      .map((defect) => ({
        code: "STEP_INPUT" as const,
        pointer: pointer + defect.pointer,
        what: defect.keyword === "additionalProperties" ? ("key" as const) : ("value" as const),
        message: `with: ${defect.message}`,
        fix: fixOf(defect, manifest),
      }))
  );
}

/** For a name that the plugin does not know, those that it does. */
function fixOf({ keyword, pointer }: ValueDefect, { name, version, input }: PluginManifest): string {
  const parent = schemaAtPointer(input, pointer.slice(0, pointer.lastIndexOf("/")));
  const known = keyword === "additionalProperties" && isObject(parent) ? Object.keys(parent["properties"] ?? {}) : [];
  return known.length === 0
    ? `See the input schema of ${name}@${version}.`
    : nearKey(lastSegment(pointer), known, `${name}@${version}`);
}

function nearKey(key: string, known: readonly string[], plugin: string): string {
  const near = closest(key, known);
  return near === null ? `${plugin} takes ${known.join(", ")}.` : `Did you mean \`${near}\`?`;
}
