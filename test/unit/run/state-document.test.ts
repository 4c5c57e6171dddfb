import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { runTransitions, stepTransitions } from "../../../src/run/index.ts";
import { diagramOf, tableOf } from "./state-drawing.ts";

const page = readFileSync(new URL("../../../docs/state-machines.md", import.meta.url), "utf8");

it.each([
  ["run", runTransitions, "queued"],
  ["step", stepTransitions, "pending"],
] as const)("docs/state-machines.md shows the table of a %s as it is", (_, table, first) => {
  expect(page).toContain(tableOf(table));
  expect(page).toContain(diagramOf(table, first));
});

it("names the twelve rows of the truth table", () => {
  for (let row = 1; row <= 12; row++) expect(page).toContain(`\n| ${row} | `);
});
