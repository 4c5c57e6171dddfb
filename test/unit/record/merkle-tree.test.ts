import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOfHex, hexOf } from "../../../src/base/index.ts";
import { sha256 } from "../../../src/base/node-digest.ts";
import { checkpointText, MerkleFrontier, merkleLeaf, parseCheckpoint } from "../../../src/record/index.ts";
import vectors from "../../vectors/record.json" with { type: "json" };

const leafOf = (hex: string): Uint8Array => merkleLeaf(bytesOfHex(hex), sha256);

/** RFC 6962 section 2.1 as it is written there: split at the largest power of two below the size. */
function rootByDefinition(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (first === undefined) return sha256(new Uint8Array(0));
  if (leaves.length === 1) return first;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const [left, right] = [rootByDefinition(leaves.slice(0, split)), rootByDefinition(leaves.slice(split))];
  return sha256(Uint8Array.of(1, ...left, ...right));
}

describe("MerkleFrontier", () => {
  it("gives the roots of the Certificate Transparency test leaves", () => {
    const frontier = new MerkleFrontier(sha256);
    const roots = [hexOf(frontier.root())];
    for (const leaf of vectors.merkle.leaves) {
      frontier.append(leafOf(leaf));
      roots.push(hexOf(frontier.root()));
    }

    expect(roots).toEqual(vectors.merkle.roots);
    // As RFC 6962's reference implementation prints them: a vector made by our own code would prove nothing.
    expect(roots.map((root) => root.slice(0, 8)).join(" ")).toBe(
      "e3b0c442 6e340b9c fac54203 aeb6bcfe d37ee418 4e3bbb1f 76e67dad ddb89be4 5dc9da79",
    );
  });

  it("goes on from its stored state as if it had never stopped, and agrees with the definition", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 0, max: 70 }), (before, after) => {
        const leaves = Array.from({ length: before + after }, (_, n) => leafOf(n.toString(16).padStart(4, "0")));
        const first = new MerkleFrontier(sha256);
        for (const leaf of leaves.slice(0, before)) first.append(leaf);
        const second = new MerkleFrontier(sha256, structuredClone(first.state));
        for (const leaf of leaves.slice(before)) second.append(leaf);

        expect(second.size).toBe(leaves.length);
        expect(hexOf(second.root())).toBe(hexOf(rootByDefinition(leaves)));
      }),
    );
  });

  it.each([
    { size: 3, nodes: [] },
    { size: -1, nodes: [] },
    { size: 1.5, nodes: ["00".repeat(32)] },
    { size: 1, nodes: ["00"] },
  ])("refuses a state that is none: %o", (state) => {
    expect(() => new MerkleFrontier(sha256, state)).toThrow(RangeError);
  });
});

describe("checkpoint", () => {
  it("is a C2SP note body that reads back", () => {
    fc.assert(
      fc.property(fc.nat(), fc.uint8Array({ minLength: 32, maxLength: 32 }), (size, root) => {
        const checkpoint = { site: "hq", size, root: hexOf(root) };

        expect(parseCheckpoint(checkpointText(checkpoint))).toEqual(checkpoint);
      }),
    );
  });

  const good = vectors.checkpoint;
  it.each([
    "",
    good.slice(0, -1),
    `${good}\n`,
    `${good}extension\n`,
    good.replace("\n", "\r\n"),
    good.replace("orrery/", "other/"),
    good.replace("orrery/hq", "orrery/HQ"),
    good.replace(/\n(\d)/, "\n0$1"),
    good.replace(/\n\d+\n/, "\n99999999999999999999\n"),
    // The last character of 43 carries two bits that must be zero.
    good.replace(/.=\n$/, (end) => `${end.startsWith("B") ? "C" : "B"}=\n`),
  ])("of another spelling is none: %j", (text) => {
    expect(parseCheckpoint(text)).toBeNull();
  });
});
