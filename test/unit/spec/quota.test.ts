import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeDocument,
  decodeSnapshot,
  effectiveQuotaAt,
  type Quota,
  quotaSegments,
} from "../../../src/spec/index.ts";

const path = "tenants/acme/quota.yaml";
const decode = (spec: string) =>
  decodeDocument({ path, bytes: Buffer.from(`apiVersion: orrery/v1\nkind: Quota\nspec: ${spec}\n`) });
function quotaOf(spec: string): Quota {
  const decoded = decode(spec);
  if (!decoded.ok || decoded.document.kind !== "Quota") throw new Error(JSON.stringify(decoded));
  return decoded.document.spec;
}
const findingsOf = (spec: string) => {
  const decoded = decode(spec);
  return decoded.ok ? [] : decoded.findings.map(({ code, line, pointer }) => [code, line, pointer]);
};
const at = (hour: string): Date => new Date(`2026-11-24T${hour}:00Z`);

const monthEnd = `
  runs: { maxConcurrent: 4, startsPerHour: 10 }
  perDay: { cpuTime: 2h, artifacts: 2Gi }
  overrides:
    - { until: "2026-11-24T12:00:00Z", runs: { maxConcurrent: 8 }, perStep: { memory: 1Gi }, rationale: month end }
    - { until: "2026-11-24T10:00:00Z", runs: { maxConcurrent: 2 }, weight: 9, rationale: an incident }`;

describe("a quota in time", () => {
  it("of overrides that hold at once the later entry wins, field by field, and each ends at its own instant", () => {
    const quota = quotaOf(monthEnd);
    const runs = (hour: string) => effectiveQuotaAt(quota, at(hour)).runs.maxConcurrent;

    expect([runs("09:59"), runs("10:00"), runs("11:59"), runs("12:00")]).toEqual([2, 8, 8, 4]);
    expect(effectiveQuotaAt(quota, at("09:00"))).toMatchObject({
      weight: 9,
      runs: { maxQueued: 100, startsPerHour: 10 },
      perStep: { memoryBytes: 2 ** 30, cpuTimeMs: 60_000 },
      perDay: { cpuTimeMs: 7_200_000, artifactBytes: 2 ** 31 },
    });
  });

  it("cut into stretches says the same at every instant", () => {
    const quota = quotaOf(monthEnd);
    fc.assert(
      fc.property(fc.nat(600), fc.nat(600), (from, later) => {
        const start = new Date(at("06:00").getTime() + from * 60_000);
        const then = new Date(start.getTime() + later * 60_000);

        const segments = quotaSegments(quota, start);

        const holds = segments.find(({ until }) => until === null || Date.parse(until) > then.getTime());
        expect(holds?.limits).toEqual(effectiveQuotaAt(quota, then));
        expect(segments.at(-1)?.until).toBeNull();
      }),
    );
  });

  it("keeps in an override what is a default elsewhere: over another quota it says something", () => {
    const quota = quotaOf(`{ weight: 5, overrides: [{ until: "2026-11-24T12:00:00Z", weight: 1, rationale: calm }] }`);

    expect(effectiveQuotaAt(quota, at("09:00")).weight).toBe(1);
  });

  it("refuses an end that no calendar has, an override that changes nothing, and one without a reason", () => {
    const until = `until: "2026-11-24T12:00:00Z"`;

    expect(findingsOf(`{ overrides: [{ until: "2026-02-31T00:00:00Z", weight: 2, rationale: x }] }`)).toEqual([
      ["SPEC_TYPE", 3, "/spec/overrides/0/until"],
    ]);
    expect(findingsOf(`{ overrides: [{ ${until}, runs: {}, rationale: x }] }`)).toEqual([
      ["SPEC_TYPE", 3, "/spec/overrides/0"],
    ]);
    expect(findingsOf(`{ overrides: [{ ${until}, weight: 2 }] }`)).toHaveLength(1);
    expect(findingsOf(`{ perDay: { cpuTime: 0h } }`)).toHaveLength(1);
  });

  it("reads a snapshot of a version that knew neither rates, budgets nor overrides", () => {
    const { overrides: _overrides, perDay: _perDay, runs, ...old } = quotaOf("{}");
    const { startsPerHour: _startsPerHour, ...oldRuns } = runs;
    const allowlist = { plugins: [], endpoints: [] };
    const stored = { revision: "r", quota: { ...old, runs: oldRuns }, allowlist, plugins: {}, files: [] };

    expect(decodeSnapshot(JSON.stringify(stored)).quota).toEqual(quotaOf("{}"));
  });
});
