import { describe, expect, it } from "vitest";
import type { TreeEntry } from "../../../src/git/format/tree.ts";
import { type Oid, toOid } from "../../../src/git/index.ts";
import { cachedTrees } from "../../../src/git/read/tree-cache.ts";

const oidOf = (n: number): Oid => toOid(n.toString(16).padStart(40, "0"));
const entry: TreeEntry = { mode: "100644", kind: "blob", name: "a", oid: oidOf(0), defect: null };

/** Trees of as many entries as their number says, and which were read. */
function trees(limit: number) {
  const seen: number[] = [];
  const read = cachedTrees((oid) => {
    const n = Number.parseInt(oid, 16);
    seen.push(n);
    return Array.from({ length: n }, () => entry);
  }, limit);
  return { seen, ask: (...asked: readonly number[]) => asked.map((n) => read(oidOf(n)).length) };
}

describe("trees that were read", () => {
  it("are read once", () => {
    const { seen, ask } = trees(10);

    expect(ask(3, 4, 3, 4)).toEqual([3, 4, 3, 4]);
    expect(seen).toEqual([3, 4]);
  });

  it("hold no more entries than they may: what was asked longest ago goes first", () => {
    const { seen, ask } = trees(10);

    ask(3, 4, 3, 5, 3, 4);

    expect(seen).toEqual([3, 4, 5, 4]);
  });

  it("over the whole limit are given and not kept", () => {
    const { seen, ask } = trees(10);

    expect(ask(11, 2, 11)).toEqual([11, 2, 11]);
    expect(seen).toEqual([11, 2, 11]);
  });
});
