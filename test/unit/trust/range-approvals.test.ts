import { describe, expect, it } from "vitest";
import type { TrustPolicy } from "../../../src/trust/index.ts";
import { approve, FakeHistory, planOf, signersFile, start } from "./fake-history.ts";

const groups = { guards: ["sam@acme.example", "sif@acme.example"] };
const paths: TrustPolicy["paths"] = [
  { match: "quota/**", by: "guards", approvals: 1 },
  { match: "**", by: "everyone", approvals: 0 },
];
const quota = (text: string | null) => ({ files: { "quota/a": text } });

/** Sam raises a quota and takes it back; sif approves what is left of the two: a harmless document. */
function raisedAndTakenBack(last: { readonly by?: null; readonly seconds?: number }) {
  const history = new FakeHistory();
  const root = history.commit({ by: "sam", tree: { signers: signersFile("sam", "sif"), policy: { groups, paths } } });
  const raise = history.commit({ by: "sam", tree: quota("a million") });
  const back = history.commit({ by: "sam", ...last, tree: { files: { "quota/a": null, "docs/a": "1" } } });
  approve(history, "sif", { base: root, head: back, planHash: planOf(history, root, back) });
  return { history, root, raise, back };
}

describe("an approval of base..head lets in", () => {
  it("all of it", () => {
    const { history, root, back } = raisedAndTakenBack({});

    expect(history.walk(root, back)).toMatchObject({ verified: { oid: back }, stalled: null });
  });

  it.each<[string, Parameters<typeof raisedAndTakenBack>[0], string]>([
    ["is not signed", { by: null }, "TRUST_UNSIGNED"],
    ["is dated ahead", { seconds: start + 200_000 }, "TRUST_CLOCK"],
  ])("nothing of it where its end %s: what nobody saw would stand", (_, last, code) => {
    const { history, root, back } = raisedAndTakenBack(last);

    const walk = history.walk(root, back);

    expect(walk).toMatchObject({ verified: { oid: root }, newly: [], stalled: { commit: back, code } });
    expect(walk.stalled?.message).toContain("was approved up to there");
  });

  it("what stands by approvals of its own, where the end of a longer one does not", () => {
    const { history, root, raise, back } = raisedAndTakenBack({ by: null });
    approve(history, "sif", { base: root, head: raise, planHash: planOf(history, root, raise) });

    expect(history.walk(root, back)).toMatchObject({ verified: { oid: raise }, stalled: { commit: back } });
  });
});

describe("a commit that cannot be read through", () => {
  it("stops itself alone: what came before it stands, however they were pushed", () => {
    const history = new FakeHistory();
    const root = history.commit({ by: "sam", tree: { signers: signersFile("sam", "sif"), policy: { groups, paths } } });
    const good = history.commit({ by: "sam" });
    const deep = history.commit({ by: "sam", tree: { files: { [`${"x/".repeat(70)}x`]: "1" } } });

    expect(history.walk(root, deep)).toMatchObject({
      verified: { oid: good },
      stalled: { commit: deep, code: "OBJECT_TOO_LARGE" },
    });
  });
});
