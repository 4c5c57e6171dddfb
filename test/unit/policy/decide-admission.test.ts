import fc from "fast-check";
import { expect, it } from "vitest";
import { type AdmissionUsage, decideAdmission } from "../../../src/policy/index.ts";
import { quota } from "./policy-fixture.ts";

const usage: AdmissionUsage = {
  existing: null,
  closed: false,
  suspended: false,
  armed: true,
  queued: 0,
  today: { cpuTimeMs: 0, artifactBytes: 0 },
  waitingOfDag: 0,
  unfinishedOfDag: 0,
};
const manual = { slot: false, inputsHash: "aa", concurrency: { max: 1, overlap: "queue" as const } };
const slot = { ...manual, slot: true };

it("admits what nothing speaks against", () => {
  expect(decideAdmission(quota, usage, manual)).toEqual({ kind: "admitted", supersede: false });
});

it.each([
  [{ closed: true }, "ADMISSION_CLOSED", "closed"],
  [{ suspended: true }, "SUSPENDED", "suspended"],
  [{ armed: false }, "NOT_ALLOWED", "not_allowed"],
  [{ queued: 100 }, "QUEUE_FULL", "quota"],
] as const)("%j: refuses a request with %s and skips a slot as %s", (fields, code, reason) => {
  expect(decideAdmission(quota, { ...usage, ...fields }, manual)).toEqual({ kind: "refused", code });
  expect(decideAdmission(quota, { ...usage, ...fields }, slot)).toEqual({ kind: "skipped", reason });
});

it("refuses a start of a DAG that is not there", () => {
  expect(decideAdmission(quota, { ...usage, armed: null }, manual)).toEqual({ kind: "refused", code: "DAG_NOT_FOUND" });
});

it("returns the first run for the same key and inputs, even where a start would be refused now", () => {
  const used = { ...usage, suspended: true, existing: { runId: "r1", inputsHash: "aa" } };

  expect(decideAdmission(quota, used, manual)).toEqual({ kind: "existing", runId: "r1" });
  expect(decideAdmission(quota, used, { ...manual, inputsHash: "bb" })).toEqual({
    kind: "refused",
    code: "IDEMPOTENCY_KEY_REUSED",
  });
  expect(decideAdmission(quota, used, { ...slot, inputsHash: "bb" })).toEqual({ kind: "existing", runId: "r1" });
});

it("overlap skip counts unfinished runs of the DAG, queue and latest do not", () => {
  const busy = { ...usage, unfinishedOfDag: 1 };
  const overlap = (kind: "queue" | "skip" | "latest") =>
    decideAdmission(quota, busy, { ...slot, concurrency: { max: 1, overlap: kind } });

  expect(overlap("skip")).toEqual({ kind: "skipped", reason: "overlap" });
  expect(overlap("queue")).toEqual({ kind: "admitted", supersede: false });
  expect(overlap("latest")).toEqual({ kind: "admitted", supersede: true });
});

it("overlap latest needs no room where it takes a waiting run's place", () => {
  const full = { ...usage, queued: 100, waitingOfDag: 1 };
  const latest = { ...manual, concurrency: { max: 1, overlap: "latest" as const } };

  expect(decideAdmission(quota, full, latest).kind).toBe("admitted");
  expect(decideAdmission(quota, full, manual).kind).toBe("refused");
});

it("never refuses a slot of a known DAG and never skips another request", () => {
  const usages = fc.record({
    existing: fc.option(fc.record({ runId: fc.constant("r"), inputsHash: fc.constantFrom("aa", "bb") }), { nil: null }),
    closed: fc.boolean(),
    suspended: fc.boolean(),
    armed: fc.boolean(),
    queued: fc.nat(200),
    today: fc.record({ cpuTimeMs: fc.nat(9), artifactBytes: fc.nat(9) }),
    waitingOfDag: fc.nat(3),
    unfinishedOfDag: fc.nat(3),
  });
  const overlaps = fc.constantFrom("queue" as const, "skip" as const, "latest" as const);
  fc.assert(
    fc.property(usages, overlaps, (now, overlap) => {
      const concurrency = { max: 2, overlap };

      expect(decideAdmission(quota, now, { ...slot, concurrency }).kind).not.toBe("refused");
      expect(decideAdmission(quota, now, { ...manual, concurrency }).kind).not.toBe("skipped");
    }),
  );
});
