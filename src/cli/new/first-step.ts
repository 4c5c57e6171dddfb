import { pluginGranted } from "../../policy/index.ts";
import type { Allowlist, PluginManifest } from "../../spec/index.ts";
import type { FirstStep } from "./document-texts.ts";

export interface StepChoice {
  readonly step: FirstStep;
  /** false: the allowlist does not grant the plugin, so the DAG is not armed. */
  readonly isGranted: boolean;
}

const usual = "core.log";
const usualInput = '{ message: "hello from ${{ run.tenant }}" }';

/**
 * The step of a new DAG: core.log where it is granted, else a granted plugin that runs on an empty input, else core.log
 * all the same. The newest version of each. null where there is nothing to choose from.
 */
export function chooseFirstStep(plugins: readonly PluginManifest[], allowlist: Allowlist): StepChoice | null {
  const newest = [...plugins].sort(byVersion);
  const granted = newest.filter((plugin) => pluginGranted(allowlist, plugin));
  const known = granted.find(({ name }) => name === usual) ?? granted.find(isPlain);
  const plugin = known ?? newest.find(({ name }) => name === usual) ?? newest.find(isPlain);
  if (plugin === undefined) return null;
  const { name, version } = plugin;
  return { step: { uses: { name, version }, with: name === usual ? usualInput : null }, isGranted: plugin === known };
}

function isPlain({ name, input, needs }: PluginManifest): boolean {
  const required = input["required"];
  const asksNothing = required === undefined || (Array.isArray(required) && required.length === 0);
  // Its script comes with the step.
  return asksNothing && !needs.network && needs.secrets.length === 0 && name !== "core.js";
}

function byVersion(a: PluginManifest, b: PluginManifest): number {
  const [left, right] = [a, b].map(({ version }) => version.split(".").map(Number));
  for (const [i, part] of (right ?? []).entries()) if (part !== left?.[i]) return part - (left?.[i] ?? 0);
  return a.name < b.name ? -1 : 1;
}
