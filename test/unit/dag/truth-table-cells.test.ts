import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideStep, type Evaluation, type StepDecision, type StepStatus } from "../../../src/dag/index.ts";

const page = readFileSync(new URL("../../../docs/conditions.md", import.meta.url), "utf8");

/** A table of the page by its first header cell: `[row, column, cell]` of each. */
function cellsOf(first: string): readonly (readonly [row: string, column: string, cell: string])[] {
  const from = page.indexOf(`| ${first} |`);
  if (from < 0) throw new Error(`no table ${first}`);
  const [header = "", , ...rows] = page.slice(from).split("\n\n")[0]?.trim().split("\n") ?? [];
  const split = (line: string): readonly string[] =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
  return rows.flatMap((row) => {
    const [name = "", ...cells] = split(row);
    return cells.map((cell, n) => [name, split(header)[n + 1] ?? "", cell] as const);
  });
}

const how = {
  plain: { continueOnError: false, lifted: false },
  "with `continueOnError`": { continueOnError: true, lifted: false },
  "`when` reads its status": { continueOnError: false, lifted: true },
} as const;
type How = keyof typeof how;

interface Need {
  readonly status: StepStatus | null;
  readonly continueOnError: boolean;
  readonly lifted: boolean;
}

function decide(needs: readonly Need[], evaluation: Evaluation | null = null, maxItems: number | null = null): string {
  const named = needs.map((need, n) => [`n${String(n)}`, need] as const);
  const decision = decideStep({
    upstream: new Map(named),
    needs: named.map(([id]) => id),
    lifted: new Set(named.filter(([, need]) => need.lifted).map(([id]) => id)),
    ended: false,
    ...{ evaluation, maxItems },
  });
  return wordOf(decision);
}

function wordOf(decision: StepDecision): string {
  switch (decision.kind) {
    case "wait":
      return "waits";
    case "evaluate":
      return "goes on";
    case "skip":
      return decision.reason;
    case "fail":
      return "failed";
    case "run":
      return decision.items === null ? "runs" : decision.items === 0 ? "succeeded, `[]`" : "runs each";
    case "cancel":
      return "cancelled";
  }
}

const oneNeed = cellsOf("the need");
const needOf = (row: string, column: string): Need => ({
  status: row === "has not ended" ? null : (row as StepStatus),
  ...how[column as How],
});

describe("every case of one need", () => {
  it("is in the table of docs/conditions.md: each status, each of three ways", () => {
    const statuses = ["has not ended", "succeeded", "failed", "timed_out", "skipped", "cancelled"];
    expect(oneNeed.map(([row, column]) => `${row} ${column}`)).toEqual(
      statuses.flatMap((status) => Object.keys(how).map((column) => `${status} ${column}`)),
    );
  });

  it.each(oneNeed)("%s, %s: %s", (row, column, cell) => {
    expect(decide([needOf(row, column)])).toBe(cell);
  });

  it("law: of up to four needs, in any order, the page decides by its cells", () => {
    const worst = ["waits", "upstream_cancelled", "upstream_failed", "upstream_skipped", "goes on"];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...oneNeed), { minLength: 1, maxLength: 4 }), (cells) => {
        const expected = worst.find((word) => cells.some(([, , cell]) => cell === word));

        expect(decide(cells.map(([row, column]) => needOf(row, column)))).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("when and forEach of a step whose needs let it go on", () => {
  const lists: Readonly<Record<string, readonly (number | null)[]>> = {
    "without `forEach`": [null],
    "over `[]`": [0],
    "over some": [1, 5],
    "over too many, or no list": [6, null],
  };
  const cells = cellsOf("`when`");

  it("is in the table: each answer of when, each size of a list", () => {
    const rows = ["absent or true", "false", "fails"];
    expect(cells.map(([row, column]) => `${row} ${column}`)).toEqual(
      rows.flatMap((row) => Object.keys(lists).map((column) => `${row} ${column}`)),
    );
  });

  it.each(cells)("when %s, %s: %s", (row, column, cell) => {
    const maxItems = column === "without `forEach`" ? null : 5;
    for (const items of lists[column] ?? []) {
      const evaluation: Evaluation =
        row === "false"
          ? { kind: "skip" }
          : row === "fails"
            ? { kind: "failed", class: "permanent", code: "ERR_EXPR" }
            : { kind: "run", items };
      expect(decide([], evaluation, maxItems)).toBe(cell);
    }
  });
});

describe("a run that ended", () => {
  it("cancels every step that has not begun, whatever its needs and answers", () => {
    for (const [row, column] of oneNeed) {
      const { lifted, ...need } = needOf(row, column);
      const decision = decideStep({
        upstream: new Map([["a", need]]),
        needs: ["a"],
        lifted: new Set(lifted ? ["a"] : []),
        ended: true,
        ...{ evaluation: null, maxItems: null },
      });
      expect(decision).toEqual({ kind: "cancel" });
    }
  });
});
