import type { components } from "../../generated/documents.ts";
import { defaults } from "../../normal/defaults.ts";
import { durationMs, durationText } from "../../value/units.ts";
import type { DocumentDefect } from "./document-defects.ts";

type Objective = components["schemas"]["Objective"];

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** A window shorter than a run says nothing, one longer than a quarter hides a bad month. */
const windowBounds = { leastMs: hourMs, mostMs: 90 * dayMs } as const;

/** What is wrong with objectives that their schema cannot say. The document has passed its schema. */
export function sloDefects(spec: components["schemas"]["Slo"]["spec"]): readonly DocumentDefect[] {
  const seen = new Set<string>();
  return spec.objectives.flatMap((objective, index): readonly DocumentDefect[] => {
    const pointer = `/spec/objectives/${String(index)}`;
    const twice = seen.has(objective.dag);
    seen.add(objective.dag);
    return [...(twice ? [duplicate(objective.dag, pointer)] : []), ...objectiveDefects(objective, pointer)];
  });
}

const duplicate = (dag: string, pointer: string): DocumentDefect => ({
  code: "DAG_DUPLICATE_NAME",
  pointer: `${pointer}/dag`,
  what: "value",
  message: `\`${dag}\` has an objective already`,
  fix: "Put both into one entry.",
});

function objectiveDefects(objective: Objective, pointer: string): readonly DocumentDefect[] {
  const wrong = (at: string, message: string, fix: string): DocumentDefect => ({
    code: "SPEC_TYPE",
    pointer: at === "" ? pointer : `${pointer}/${at}`,
    what: at === "" ? "key" : "value",
    message,
    fix,
  });
  if (objective.success === undefined && objective.within === undefined && objective.fresh === undefined) {
    return [
      wrong("", `the objective for \`${objective.dag}\` promises nothing`, 'Add success: "99%", within or fresh.'),
    ];
  }
  const windowMs = objective.window === undefined ? defaults.slo.windowMs : durationMs(objective.window);
  if (windowMs < windowBounds.leastMs || windowMs > windowBounds.mostMs) {
    const bounds = `${durationText(windowBounds.leastMs)} to ${durationText(windowBounds.mostMs)}`;
    return [wrong("window", `a window of ${durationText(windowMs)}; it may be ${bounds}`, "Choose another window.")];
  }
  return (["within", "fresh"] as const).flatMap((key) => {
    const text = objective[key];
    if (text === undefined || durationMs(text) <= windowMs) return [];
    const message = `${key} ${text} is longer than the window ${durationText(windowMs)}`;
    return [wrong(key, message, "Make it shorter, or the window longer.")];
  });
}
