import type { components } from "../../generated/documents.ts";
import { pointerTo } from "../positions.ts";
import type { DocumentDefect } from "./document-defects.ts";
import { isInstant } from "./freeze-defects.ts";

const fields = ["weight", "runs", "steps", "perStep", "perDay", "minInterval"] as const;

/** Overrides whose end no calendar has, or that change nothing. */
export function quotaDefects({ overrides = [] }: components["schemas"]["Quota"]["spec"]): readonly DocumentDefect[] {
  return overrides.flatMap((override, i): readonly DocumentDefect[] => {
    const at = pointerTo("/spec/overrides", i);
    const defect = (pointer: string, what: "key" | "value", message: string, fix: string): DocumentDefect => ({
      ...{ code: "SPEC_TYPE", pointer, what, message, fix },
    });
    if (!isInstant(override.until)) {
      const message = `${override.until} is no instant of the calendar`;
      return [defect(`${at}/until`, "value", message, "Write a day and a time that exist.")];
    }
    if (fields.some((field) => says(override[field]))) return [];
    return [defect(at, "key", "the override changes nothing", `Name one of ${fields.join(", ")}, or remove it.`)];
  });
}

const says = (value: number | string | object | undefined): boolean =>
  typeof value === "object" ? Object.keys(value).length > 0 : value !== undefined;
