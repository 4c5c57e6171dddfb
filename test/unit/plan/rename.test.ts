import { describe, expect, it } from "vitest";
import { sha256 } from "../../../src/base/node-digest.ts";
import { reconcileFacts } from "../../../src/plan/index.ts";
import { decodeDocument } from "../../../src/spec/index.ts";
import { acme, after, applied, changeOf, dagPath, desiredOf, every, hello, planOf, words } from "./plan-fixture.ts";

const renamed = (text: string, from: string): string =>
  text.replace("kind: Dag", `kind: Dag\nmetadata: { renamedFrom: ${from} }`);
const later = "2026-05-02T00:00:00.000Z";

describe("a DAG that is renamed", () => {
  const old = hello("x", every("15m"));
  const stands = after(acme({ nightly: old, other: hello() }));
  const want = desiredOf(acme({ evening: renamed(old, "nightly"), other: hello() }));

  it("takes its watermarks along: no slot is lost, none comes twice", () => {
    const plan = planOf(want, stands, { now: later });
    const change = changeOf(plan, later);
    const kept = stands.dags.find(({ dagId }) => dagId === "nightly")?.schedules[0]?.watermark;

    expect(words(plan)).toEqual(["create evening", "prune nightly"]);
    expect(change.dags[0]).toMatchObject({ dagId: "evening", schedules: [{ from: null, watermark: kept }] });
    expect(reconcileFacts(plan, later, sha256)?.activations).toMatchObject([{ dagId: "evening", activeFrom: kept }]);
    expect(words(planOf(want, applied(stands, change), { now: later }))).toEqual([]);
  });

  it("does not pull the prune brake: it is not gone", () => {
    expect(planOf(want, stands, { now: later, prunePercent: 0 }).blocked).toBeNull();
  });

  it("takes nothing from a name that still stands, is gone already, or never was; the first is said", () => {
    const both = desiredOf(acme({ evening: renamed(old, "nightly"), nightly: old, other: hello() }));
    const stranger = desiredOf(acme({ evening: renamed(old, "nobody"), nightly: old, other: hello() }));

    for (const desired of [both, stranger]) {
      const [write] = changeOf(planOf(desired, stands, { now: later }), later).dags;
      expect(write).toMatchObject({ dagId: "evening", schedules: [{ watermark: later }] });
    }
    expect(both.findings.map(({ severity, message }) => [severity, message])).toEqual([
      ["warning", "nightly still stands in the repository: evening takes nothing over from it"],
    ]);
  });

  it.each([
    ["evening", "is the name that it has"],
    ["../x", "/metadata/renamedFrom"],
  ])("from %s is refused", (from, message) => {
    const decoded = decodeDocument({
      path: dagPath("evening"),
      bytes: Buffer.from(renamed(old, JSON.stringify(from))),
    });

    expect(decoded.ok).toBe(false);
    if (!decoded.ok) expect(JSON.stringify(decoded.findings)).toContain(message);
  });
});
