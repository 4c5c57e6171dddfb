import type { CodeName } from "../../base/index.ts";
import type { FindingSeverity } from "../decode/finding.ts";
import { type Positions, pointerTo } from "../decode/positions.ts";
import type { DagSpec, PluginRef, ScheduleSpec, StepSpec } from "../normal/dag-spec.ts";
import type { PluginManifest } from "../normal/plugin-manifest.ts";

/** All of one tenant that a DAG is checked against. Grants (allowlist, quota) are policy/'s. */
export interface DagContext {
  readonly path: string;
  /** Of the decoded document; `{}` where there is none (findings then have no place). */
  readonly positions: Positions;
  /** The manifest of a plugin that this tenant can name, or null. */
  readonly plugin: (ref: PluginRef) => PluginManifest | null;
  /** Paths under tenants/<tenant>/files/, relative to it. */
  readonly files: readonly string[];
  /** calendar/'s judgement of cron, every and zone; null = valid. `field` where it is about the zone. */
  readonly checkSchedule: (schedule: ScheduleSpec) => { readonly message: string; readonly field?: "timezone" } | null;
}

/** One finding before it has a place. */
export interface DagDefect {
  readonly code: CodeName;
  readonly pointer: string;
  readonly message: string;
  readonly fix: string;
  readonly what?: "value" | "key";
  readonly severity?: FindingSeverity;
  /** Offset into the text at `pointer`; its own place, where that is known. */
  readonly offset?: number;
}

/** A step with the pointer of its place in the document. */
export interface PlacedStep {
  readonly step: StepSpec;
  readonly pointer: string;
  readonly section: "steps" | "finally";
}

export function placedSteps(dag: DagSpec): readonly PlacedStep[] {
  const of = (section: "steps" | "finally"): readonly PlacedStep[] =>
    dag[section].map((step) => ({ step, section, pointer: pointerTo(`/spec/${section}`, step.stepId) }));
  return [...of("steps"), ...of("finally")];
}
