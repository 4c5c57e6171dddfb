import fc from "fast-check";
import { expect, it } from "vitest";
import { NotIJson } from "../../../src/base/index.ts";
import { sha256 } from "../../../src/base/node-digest.ts";
import {
  inputsHashOf,
  runIdOf,
  runTokenOf,
  slotKeyOf,
  spanIdOf,
  stepHashOf,
  stepKeyOf,
  traceIdOf,
  traceparentOf,
} from "../../../src/run/index.ts";

const tokenChars = fc.stringMatching(/^[0-9a-f]{64}$/);

it("makes a UUIDv7 whose order is the order of admission", () => {
  fc.assert(
    fc.property(tokenChars, tokenChars, fc.nat(2 ** 45), fc.nat(2 ** 45), (a, b, x, y) => {
      const [first, second] = [runIdOf(a, new Date(x)), runIdOf(b, new Date(y))];

      expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      if (x < y) expect(first < second).toBe(true);
    }),
  );
});

it("refuses what is no instant and what is no token", () => {
  expect(() => runIdOf("0".repeat(64), new Date(-1))).toThrow(RangeError);
  expect(() => runIdOf("0".repeat(64), new Date(Number.NaN))).toThrow(RangeError);
  expect(() => runIdOf("xyz", new Date(0))).toThrow(RangeError);
});

it("gives two nights with equal with two step keys, and a retried attempt its own again", () => {
  const key = (slot: string): string => {
    const trigger = { kind: "schedule", key: slotKeyOf("nightly", slot) } as const;
    const runToken = runTokenOf({ site: "hq", tenant: "acme", dagId: "d", trigger }, sha256);
    return stepKeyOf({ runToken, stepId: "post", index: 0, stepHash: "00" }, sha256);
  };

  expect(key("2026-03-29T01:30:00.000Z")).not.toBe(key("2026-03-30T01:30:00.000Z"));
  expect(key("2026-03-29T01:30:00.000Z")).toBe(key("2026-03-29T01:30:00.000Z"));
});

it("hashes a step alike whatever the order of its files and network", () => {
  const ask = { plugin: "00", with: { a: 1 }, code: null, secrets: {} };
  const [x, y] = [
    { path: "a.json", sha256: "01" },
    { path: "b.json", sha256: "02" },
  ];

  const one = stepHashOf({ ...ask, files: [x, y], network: ["a:1", "b:2"] }, sha256);
  const two = stepHashOf({ ...ask, files: [y, x], network: ["b:2", "a:1"] }, sha256);
  const other = stepHashOf({ ...ask, files: [y], network: ["b:2", "a:1"] }, sha256);

  expect(two).toBe(one);
  expect(other).not.toBe(one);
});

it("takes nothing into a step hash that is not declared there", () => {
  const ask = { plugin: "00", with: {}, code: null, network: [], secrets: {} };
  const file = { path: "a", sha256: "01", bytes: 7 };

  expect(stepHashOf({ ...ask, files: [file] }, sha256)).toBe(
    stepHashOf({ ...ask, files: [{ path: "a", sha256: "01" }] }, sha256),
  );
});

it("refuses to hash what JSON cannot carry", () => {
  for (const bad of [Number.NaN, "a\u0000", "\ud800", 2 ** 53, undefined]) {
    expect(() => inputsHashOf({ bad: bad as never }, sha256)).toThrow(NotIJson);
  }
});

it("gives an attempt one span wherever it is asked, and another to the next attempt", () => {
  const traceId = traceIdOf(new Uint8Array(16).fill(7));
  const at = { traceId, runId: "r", stepId: "s", index: 0, attempt: 1 };

  expect(spanIdOf(at, sha256)).toMatch(/^[0-9a-f]{16}$/);
  expect(spanIdOf(at, sha256)).toBe(spanIdOf({ ...at }, sha256));
  expect(spanIdOf(at, sha256)).not.toBe(spanIdOf({ ...at, attempt: 2 }, sha256));
  expect(traceparentOf(traceId, spanIdOf(at, sha256))).toMatch(/^00-(07){16}-[0-9a-f]{16}-01$/);
});

it("refuses an all-zero trace id and an all-zero span", () => {
  expect(() => traceIdOf(new Uint8Array(16))).toThrow(RangeError);
  expect(spanIdOf({ traceId: "t", runId: "r", stepId: "s", index: 0, attempt: 1 }, () => new Uint8Array(32))).toBe(
    "0000000000000001",
  );
});
