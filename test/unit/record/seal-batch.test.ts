import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/base/index.ts";
import { sha256 } from "../../../src/base/node-digest.ts";
import {
  batchTimestamp,
  emptyFrontier,
  inChainOrder,
  maxLineBytes,
  type SealedBatch,
  sealBatch,
  verifyAudit,
  type WaitingBody,
} from "../../../src/record/index.ts";
import { nodeTrustCrypto } from "../../../src/signer/index.ts";
import {
  AuditBranch,
  recordCheck,
  signersTextOf,
  testDenialBody,
  testGenesisBody,
  testReconcileBody,
  testRunBody,
  testRuntime,
  testStep,
} from "../../support/audit-fixtures.ts";
import { rounds } from "../../support/effort.ts";

const instant = "2026-11-24T03:31:05.000Z";

function sealed(bodies: readonly WaitingBody[], horizon: string | null = null): SealedBatch {
  const tenants = [...new Set(bodies.map(({ tenant }) => tenant))];
  const chains = tenants.map((tenant) => ({ tenant, lastSeq: 0, lastLine: null, horizon }));
  const input = { site: "hq", timestamp: instant, clock: instant, frontier: emptyFrontier, bodies, skips: [], chains };
  return sealBatch({ ...input, runtime: testRuntime }, sha256);
}

const pool: readonly WaitingBody[] = [
  testGenesisBody(),
  testReconcileBody(),
  testReconcileBody("hq", "beta", 1),
  testDenialBody(),
  ...Array.from({ length: 8 }, (_, n) =>
    testRunBody({ n: n + 1, tenant: n % 3 === 0 ? "beta" : "acme", dagId: n % 2 === 0 ? "hello" : "a-dag" }),
  ),
];

const recordsOf = (batch: SealedBatch): readonly JsonObject[] =>
  batch.records.map(({ line }) => JSON.parse(line) as JsonObject);

describe("sealBatch", () => {
  it("gives equal bytes whatever the order of the bodies", () => {
    const expected = sealed(pool);
    fc.assert(
      fc.property(fc.shuffledSubarray([...pool], { minLength: pool.length }), (shuffled) => {
        expect(sealed(shuffled)).toEqual(expected);
      }),
    );
  });

  it("orders a tenant's records by (dagId, runId, recordId), left out before all, and tenants by their bytes", () => {
    const batch = sealed(pool);

    expect([...new Set(batch.records.map(({ tenant }) => tenant))]).toEqual(["_site", "acme", "beta"]);
    const records = recordsOf(batch);
    for (const [at, record] of records.entries()) {
      const before = records[at - 1];
      if (before?.["tenant"] === record["tenant"]) expect(inChainOrder(before!, record)).toBeLessThan(0);
      expect(record["index"]).toBe(at);
    }
  });

  it("any split of the same bodies into batches is a chain that verifies, in order (timestamp, dagId, runId)", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: pool.length, maxLength: pool.length }),
        (cut) => {
          const branch = new AuditBranch();
          for (let part = 0; part <= 4; part++) {
            const bodies = pool.filter((_, at) => cut[at] === part);
            if (bodies.length > 0) branch.append(bodies);
          }

          const options = { crypto: nodeTrustCrypto, signersText: signersTextOf("hq"), site: "hq", witness: null };
          const report = verifyAudit(branch.source, { ...options, check: recordCheck });

          expect(report.findings).toEqual([]);
          expect(report.records).toBe(pool.length);
          for (const tenant of ["acme", "beta"]) {
            const chain = branch.batches.flatMap(recordsOf).filter((record) => record["tenant"] === tenant);
            const keys = (chain as readonly Record<string, string>[]).map(
              ({ timestamp, dagId = "", runId = "", recordId }) => [timestamp, dagId, runId, recordId].join("\t"),
            );
            expect(keys).toEqual([...keys].sort());
            expect(chain.map(({ seq }) => seq)).toEqual(chain.map((_, at) => at + 1));
          }
        },
      ),
      { numRuns: rounds(15, 375) },
    );
  });

  it("moves the list of steps out where the line would pass 256 KiB, and not before", () => {
    const small = sealed([testRunBody({ n: 1, steps: [testStep("fan", 300)] })]);
    const large = sealed([testRunBody({ n: 1, steps: [testStep("a", 400), testStep("b", 400)] })]);

    expect(small.stepFiles).toEqual([]);
    expect(large.stepFiles[0]?.path).toMatch(/^steps\/acme\/2026\/11\/24\/[0-9a-f-]{36}\.ndjson$/);
    expect(
      Buffer.from(large.stepFiles[0]?.bytes ?? [])
        .toString()
        .split("\n").length,
    ).toBe(3);
    expect(large.records[0]?.line.length).toBeLessThan(maxLineBytes);
    expect(large.records[0]?.line).not.toContain('"steps":');
  });

  it("puts the horizon at the least open slot, never after its own timestamp", () => {
    const earlier = "2026-11-24T03:30:00.000Z";
    const body = [testRunBody({ n: 1 })];

    expect(recordsOf(sealed(body, earlier))[0]?.["horizon"]).toBe(earlier);
    expect(recordsOf(sealed(body, "2030-01-01T00:00:00.000Z"))[0]?.["horizon"]).toBe(instant);
    expect(recordsOf(sealed(body))[0]?.["horizon"]).toBe(instant);
  });

  it("takes no body of another site or tenant", () => {
    expect(() => sealed([testRunBody({ n: 1, site: "west" })])).toThrow(/another site/);
    expect(() => sealed([{ ...testRunBody({ n: 1 }), tenant: "beta" }])).toThrow(/another site or tenant/);
  });
});

describe("batchTimestamp", () => {
  it("is the clock, but always later than the last batch", () => {
    expect(batchTimestamp(new Date(instant), null)).toBe(instant);
    expect(batchTimestamp(new Date(instant), "2026-11-24T03:31:04.000Z")).toBe(instant);
    expect(batchTimestamp(new Date(instant), instant)).toBe("2026-11-24T03:31:05.001Z");
    expect(batchTimestamp(new Date(instant), "2031-01-01T00:00:00.000Z")).toBe("2031-01-01T00:00:00.001Z");
  });
});
