import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { freshFindings } from "../../../src/cli/hook/fresh-findings.ts";
import type { Finding } from "../../../src/spec/index.ts";

const finding = fc.record<Finding>({
  code: fc.constantFrom("SPEC_TYPE", "DAG_CYCLE"),
  severity: fc.constantFrom("error", "denied"),
  path: fc.constantFrom("a.yaml", "b.yaml"),
  line: fc.nat(5),
  col: fc.nat(5),
  pointer: fc.constant(""),
  message: fc.constantFrom("one", "two"),
  fix: fc.constant(""),
});
const list = fc.array(finding, { maxLength: 12 });

describe("freshFindings", () => {
  it("nothing is new of what was there, wherever it moved within its document", () => {
    fc.assert(
      fc.property(list, fc.nat(9), (all, by) => {
        const moved = all.map((one) => ({ ...one, line: one.line + by }));

        expect(freshFindings(all, moved)).toEqual([]);
      }),
    );
  });

  it("of everything that was added as much is new, and no more", () => {
    fc.assert(
      fc.property(list, list, (before, added) => {
        expect(freshFindings(before, [...before, ...added])).toHaveLength(added.length);
        expect(freshFindings([...before, ...added], before)).toEqual([]);
      }),
    );
  });

  it("where nothing was before all of it is new", () => {
    fc.assert(
      fc.property(list, (all) => {
        expect(freshFindings([], all)).toEqual(all);
      }),
    );
  });
});
