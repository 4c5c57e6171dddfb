import { describe, expect, it } from "vitest";
import { type Json, type JsonObject, parseCanonical } from "../../../src/base/index.ts";
import { sha256 } from "../../../src/base/node-digest.ts";
import {
  attemptRecord,
  controlBody,
  denialBody,
  maxLineBytes,
  reconcileBody,
  recordLine,
  runBody,
  skipBody,
  stepRecord,
} from "../../../src/record/index.ts";
import { recordCheck, testReconcileBody, testRuntime } from "../../support/audit-fixtures.ts";
import { goldenBranch, goldenLines } from "../../support/record-vectors.ts";
import vectors from "../../vectors/record.json" with { type: "json" };

const person = {
  site: "hq",
  tenant: "acme",
  actor: { kind: "user" as const, subject: "ben@acme.example", key: null },
  rationale: [],
  traceId: null,
  runtime: testRuntime,
};

describe("a record of every kind", () => {
  it("has the bytes of the vectors", () => {
    expect(goldenLines()).toEqual(vectors.lines);
  });

  it("stands in a branch whose checkpoints and commits have the bytes of the vectors", () => {
    const branch = goldenBranch();

    expect(branch.batches.map(({ checkpointText }) => checkpointText)).toEqual([vectors.checkpoint]);
    expect(branch.commits).toEqual(vectors.commits);
  });

  it.each(vectors.lines.map((line) => ({ kind: (JSON.parse(line) as { kind: string }).kind, line })))(
    "$kind fits the schema, is canonical, and has no null but for hashes of outputs",
    ({ line }) => {
      const record = parseCanonical(line)?.value as JsonObject;

      expect(recordCheck.record(record)).toBeNull();
      expect(line.replaceAll('"outputsHash":null', "")).not.toContain("null");
    },
  );

  it.each(vectors.lines.map((line) => ({ kind: (JSON.parse(line) as { kind: string }).kind, line })))(
    "$kind with one member more, or without one that it must have, does not fit the schema",
    ({ line }) => {
      const record = JSON.parse(line) as Record<string, Json>;
      for (const name of [
        "recordId",
        "schema",
        "site",
        "tenant",
        "kind",
        "actor",
        "runtime",
        "seq",
        "prev",
        "timestamp",
        "index",
        "clock",
        "horizon",
      ]) {
        const { [name]: _, ...less } = record;
        expect(recordCheck.record(less)).not.toBeNull();
      }

      expect(recordCheck.record({ ...record, extra: 1 })).not.toBeNull();
      expect(recordCheck.record({ ...record, runtime: { ...(record["runtime"] as object), extra: 1 } })).not.toBeNull();
    },
  );
});

describe("runBody", () => {
  const facts = JSON.parse(vectors.lines.find((line) => line.includes('"kind":"run"')) ?? "") as Record<string, Json>;
  const step = (stepId: string, attempts: readonly (readonly [number, number])[]) =>
    stepRecord({
      stepId,
      finally: false,
      status: "failed",
      reason: null,
      plugin: "core.log@1.0.0",
      digest: "0".repeat(64),
      items: null,
      outputsHash: null,
      attempts: attempts.map(([index, attempt]) => ({
        index,
        attempt,
        status: "failed" as const,
        class: "permanent" as const,
        code: "STEP_FAILED",
        startedUtc: "2026-11-24T00:00:00.000Z",
        endedUtc: "2026-11-24T00:00:01.000Z",
        stepHash: "1".repeat(64),
        stepKey: "2".repeat(64),
        inputsHash: "3".repeat(64),
        outputsHash: null,
        egress: [],
        logsHash: null,
        artifacts: [],
      })),
    });
  const body = (steps: readonly ReturnType<typeof step>[], text = "why") => {
    const run = {
      tenant: "acme",
      runId: facts["runId"] as string,
      runNo: 1,
      dagId: "hello",
      commit: "4".repeat(40),
      specHash: "5".repeat(64),
      policyRevision: "6".repeat(40),
      trigger: { kind: "manual" as const, key: "k", schedule: null, slot: null },
      actor: person.actor,
      rationale: [{ source: "trigger" as const, text }],
      traceId: "7".repeat(32),
      runToken: "8".repeat(64),
      inputsHash: "9".repeat(64),
      context: { now: "2026-11-24T00:00:00.000Z", seed: "a".repeat(64) },
      queuedUtc: "2026-11-24T00:00:00.000Z",
    };
    const end = { class: null, code: null, startedUtc: null, endedUtc: "2026-11-24T00:00:01.000Z" };
    const rest = { outputsHash: "b".repeat(64), replayToken: null, runtime: testRuntime, deterministic: false };
    return runBody({ site: "hq", run, status: "cancelled", ...end, ...rest, steps }, sha256);
  };

  it("sorts steps by id in byte order and attempts by index, then attempt, whatever order they came in", () => {
    const one = body([
      step("b", [
        [1, 1],
        [0, 2],
        [0, 1],
      ]),
      step("a_b", []),
      step("a", []),
    ]);
    const other = body([
      step("a", []),
      step("b", [
        [0, 1],
        [0, 2],
        [1, 1],
      ]),
      step("a_b", []),
    ]);

    expect(one.bodyText).toBe(other.bodyText);
    expect(one.bodyText.indexOf('"stepId":"a"')).toBeLessThan(one.bodyText.indexOf('"stepId":"a_b"'));
  });

  it("leaves out what has no value: a run that never started has neither start nor duration", () => {
    const record = JSON.parse(body([]).bodyText) as Record<string, unknown>;

    expect(Object.keys(record)).not.toEqual(expect.arrayContaining(["startedUtc"]));
    for (const name of ["startedUtc", "durationMs", "errorClass", "code", "replayToken", "rerunOf", "decision"]) {
      expect(record).not.toHaveProperty(name);
    }
    expect(record["trigger"]).toEqual({ kind: "manual", key: "k" });
  });

  it("takes over only the record's members of an attempt", () => {
    const stored = { ...step("a", [[0, 1]]).attempts[0]!, message: "secret", outputText: "{}", fence: 3 };

    const record = attemptRecord({ ...stored, class: null, code: null, egress: [], logsHash: null, artifacts: [] });

    expect(Object.keys(record).sort()).toEqual(
      [
        "attempt",
        "endedUtc",
        "index",
        "inputsHash",
        "outputsHash",
        "startedUtc",
        "status",
        "stepHash",
        "stepKey",
      ].sort(),
    );
  });

  it("cuts a text of any length, never inside a surrogate pair, so that its line stays short", () => {
    const { bodyText } = body([], "\u{1F600}".repeat(500_000));

    expect(bodyText.length).toBeLessThan(20_000);
    expect(parseCanonical(bodyText)).not.toBeNull();
  });

  it("refuses what is no I-JSON", () => {
    expect(() => body([], "a\u0000b")).toThrow(/U\+0000/);
  });
});

describe("reconcileBody", () => {
  it("of a revision that changes very much stays under the limit: lists give way to count and hash", () => {
    const base = JSON.parse(testReconcileBody().bodyText) as { to: string };
    const changes = Array.from({ length: 5000 }, (_, n) => ({
      change: "create" as const,
      kind: "Dag" as const,
      name: `dag-${String(n)}`,
      after: "c".repeat(64),
    }));
    const held = [{ path: "tenants/acme/dags/x.yaml", code: "SPEC_YAML" }];
    const input = { ...person, n: 1, from: null, to: base.to, changes, held, verification: null, activations: [] };

    const { bodyText } = reconcileBody(input, sha256);

    const record = JSON.parse(bodyText) as Record<string, unknown>;
    expect(bodyText.length).toBeLessThan(maxLineBytes);
    expect(record).not.toHaveProperty("changes");
    expect(record).toMatchObject({ held, omitted: { changes: { count: 5000 } } });
  });
});

describe("record ids", () => {
  it("of a denial are ASCII and cannot be confused, whatever the subject is", () => {
    const idOf = (subject: string): string =>
      denialBody({
        ...person,
        actor: { kind: "user", subject, key: null },
        dagId: "hello",
        trigger: { kind: "manual", key: "k", schedule: null, slot: null },
        code: "NOT_ALLOWED",
        decision: null,
        now: "2026-11-24T03:31:59.999Z",
        which: 1,
      }).recordId;

    expect(idOf("ben@acme.example")).toBe("denial/2026-11-24T03:31:00.000Z/hello/NOT_ALLOWED/ben@acme.example/1");
    expect(idOf("a/1")).not.toContain("a/1");
    expect(idOf("\u{1F600}")).toMatch(/^[ -~]+$/);
  });

  it("of skips and controls say what they are about", () => {
    const range = { from: "2026-11-24T00:00:00.000Z", to: "2026-11-24T01:00:00.000Z", count: 2 };
    const skip = skipBody({ ...person, dagId: "hello", schedule: "default", reason: "late", ...range });
    const control = controlBody({
      ...person,
      uuid: "u",
      verb: "suspend",
      target: "hello",
      ticket: null,
      expiresUtc: null,
    });

    expect(skip.recordId).toBe("skip/hello/default/2026-11-24T00:00:00.000Z");
    expect(control.recordId).toBe("control/u");
  });
});

describe("recordLine", () => {
  it.each([
    `{"b":1,"a":2}`,
    `{"a":1,"a":2}`,
    `{"a": 1}`,
    `{"a":1.0}`,
    `{"a":9007199254740994}`,
    `{"a":"\\ud800"}`,
    `{"a":"\\u0000"}`,
    `{"a":"\\u0041"}`,
    `{"a":"\\/"}`,
    `[1]`,
    `null`,
    ``,
    `{"a":1}\n`,
    `\uFEFF{"a":1}`,
  ])("is null for what is not canonical: %j", (text) => {
    expect(recordLine(text)).toBeNull();
  });

  it.each([`{}`, `{"10":1,"9":2}`, `{"a":[{"b":1e-7}],"é":"\\u001f"}`])("reads %j", (text) => {
    expect(JSON.stringify(recordLine(text))).toBe(JSON.stringify(JSON.parse(text)));
  });
});
