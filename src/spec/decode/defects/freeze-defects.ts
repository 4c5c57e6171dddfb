import type { components } from "../../generated/documents.ts";
import { pointerTo } from "../positions.ts";
import type { DocumentDefect } from "./document-defects.ts";

/** Freeze windows that no calendar has, or that end before they begin. */
export function freezeDefects({ freeze = [] }: components["schemas"]["Tenant"]["spec"]): readonly DocumentDefect[] {
  return freeze.flatMap((window, i) => {
    const at = pointerTo("/spec/freeze", i);
    const unreal = (["from", "until"] as const).filter((edge) => !isInstant(window[edge]));
    if (unreal.length > 0)
      return unreal.map((edge) =>
        defect(`${at}/${edge}`, `${window[edge]} is no instant of the calendar`, "Write a day and a time that exist."),
      );
    if (Date.parse(window.from) < Date.parse(window.until)) return [];
    return [defect(`${at}/until`, "the window ends before it begins", "Set until after from.")];
  });
}

const defect = (pointer: string, message: string, fix: string): DocumentDefect => ({
  ...{ code: "SPEC_TYPE", pointer, what: "value", message, fix },
});

/** `2026-02-31T00:00:00Z` parses, as March. */
export function isInstant(text: string): boolean {
  const instant = new Date(text);
  return !Number.isNaN(instant.getTime()) && instant.toISOString().slice(0, 10) === text.slice(0, 10);
}
