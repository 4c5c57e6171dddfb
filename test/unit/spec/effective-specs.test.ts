import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../../src/base/index.ts";
import {
  checkPluginBytes,
  defaults,
  durationMs,
  durationText,
  effectiveAllowlist,
  effectiveQuota,
  effectiveRepository,
  effectiveTenant,
  positionOf,
  resolveInputs,
  schemas,
  sizeBytes,
  sizeText,
  valueDefects,
  valueSchemaDefect,
} from "../../../src/spec/index.ts";
import { dagText, decoded, decodedDag, sampleDag } from "../../support/spec-fixtures.ts";

/** The `default` at a path of properties; `$defs` are entered by name. */
function schemaDefault(schema: JsonObject, ...path: readonly string[]): Json | undefined {
  let at: Json | undefined = schema;
  for (const key of path) at = (at as JsonObject)[key];
  return (at as JsonObject)["default"];
}

const ageText = (ms: number | null): string => (ms === null ? "never" : durationText(ms));
const property = (...names: readonly string[]): readonly string[] => names.flatMap((name) => ["properties", name]);

describe("defaults", () => {
  const { dag, quota, tenant, repository, plugin, allowlist, site } = schemas;
  const step = (...names: readonly string[]): readonly string[] => [
    "$defs",
    ...names.slice(0, 1),
    ...property(...names.slice(1)),
  ];

  it.each<[string, Json | undefined, Json]>([
    ["run timeout", schemaDefault(dag, ...property("spec", "timeout")), durationText(defaults.dag.timeoutMs)],
    ["concurrency.max", schemaDefault(dag, ...property("spec", "concurrency", "max")), defaults.dag.concurrency.max],
    [
      "concurrency.overlap",
      schemaDefault(dag, ...property("spec", "concurrency", "overlap")),
      defaults.dag.concurrency.overlap,
    ],
    ["schedule name", schemaDefault(dag, ...step("schedule", "name")), defaults.schedule.name],
    ["timezone", schemaDefault(dag, ...step("schedule", "timezone")), defaults.schedule.timezone],
    ["catchUp", schemaDefault(dag, ...step("schedule", "catchUp", "policy")), defaults.schedule.catchUpPolicy],
    ["continueOnError", schemaDefault(dag, ...step("step", "continueOnError")), defaults.step.continueOnError],
    ["forEach.as", schemaDefault(dag, ...step("forEach", "as")), defaults.forEach.as],
    ["forEach.maxItems", schemaDefault(dag, ...step("forEach", "maxItems")), defaults.forEach.maxItems],
    ["maxAttempts", schemaDefault(dag, ...step("retry", "maxAttempts")), defaults.retry.maxAttempts],
    ["backoff", schemaDefault(dag, ...step("retry", "backoff")), durationText(defaults.retry.backoffMs)],
    ["factor", schemaDefault(dag, ...step("retry", "factor")), defaults.retry.factor],
    ["maxBackoff", schemaDefault(dag, ...step("retry", "maxBackoff")), durationText(defaults.retry.maxBackoffMs)],
    ["memory", schemaDefault(dag, ...step("limits", "memory")), sizeText(defaults.limits.memoryBytes)],
    ["scratch", schemaDefault(dag, ...step("limits", "scratch")), sizeText(defaults.limits.scratchBytes)],
    ["step timeout", schemaDefault(dag, ...step("limits", "timeout")), durationText(defaults.limits.timeoutMs)],
    ["weight", schemaDefault(quota, ...property("spec", "weight")), defaults.quota.weight],
    [
      "runs.maxConcurrent",
      schemaDefault(quota, ...property("spec", "runs", "maxConcurrent")),
      defaults.quota.maxConcurrentRuns,
    ],
    ["runs.maxQueued", schemaDefault(quota, ...property("spec", "runs", "maxQueued")), defaults.quota.maxQueuedRuns],
    [
      "steps.maxConcurrent",
      schemaDefault(quota, ...property("spec", "steps", "maxConcurrent")),
      defaults.quota.maxConcurrentSteps,
    ],
    [
      "perStep.memory",
      schemaDefault(quota, ...property("spec", "perStep", "memory")),
      sizeText(defaults.quota.perStep.memoryBytes),
    ],
    [
      "perStep.timeout",
      schemaDefault(quota, ...property("spec", "perStep", "timeout")),
      durationText(defaults.quota.perStep.timeoutMs),
    ],
    [
      "perStep.scratch",
      schemaDefault(quota, ...property("spec", "perStep", "scratch")),
      sizeText(defaults.quota.perStep.scratchBytes),
    ],
    [
      "perStep.output",
      schemaDefault(quota, ...property("spec", "perStep", "output")),
      sizeText(defaults.quota.perStep.outputBytes),
    ],
    [
      "minInterval",
      schemaDefault(quota, ...property("spec", "minInterval")),
      durationText(defaults.quota.minIntervalMs),
    ],
    ["suspend", schemaDefault(tenant, ...property("spec", "suspend")), defaults.tenant.suspend],
    ["commits", schemaDefault(repository, ...property("spec", "trust", "commits")), defaults.repository.commits],
    ["merges", schemaDefault(repository, ...property("spec", "trust", "merges")), defaults.repository.merges],
    [
      "prunePercent",
      schemaDefault(repository, ...property("spec", "brakes", "prunePercent")),
      defaults.repository.prunePercent,
    ],
    ["effects", schemaDefault(plugin, ...property("spec", "effects")), defaults.plugin.effects],
    ["isolation", schemaDefault(plugin, ...property("spec", "isolation")), defaults.plugin.isolation],
    [
      "private",
      schemaDefault(allowlist, ...property("spec", "endpoints"), "items", ...property("private")),
      defaults.allowlist.private,
    ],
    [
      "from",
      schemaDefault(site, ...property("spec", "audit", "keys"), "items", ...property("from")),
      defaults.site.keyFrom,
    ],
    ["warnAfter", schemaDefault(site, ...property("spec", "offline", "warnAfter")), ageText(defaults.site.warnAfterMs)],
    ["stopAfter", schemaDefault(site, ...property("spec", "offline", "stopAfter")), ageText(defaults.site.stopAfterMs)],
  ])("of %s is one in schema and table", (_what, inSchema, inTable) => {
    expect(inSchema).toEqual(inTable);
  });

  it("cpuTime of steps and quota, errors to try again", () => {
    expect(durationMs(schemaDefault(dag, ...step("limits", "cpuTime")) as string)).toBe(defaults.limits.cpuTimeMs);
    expect(durationMs(schemaDefault(quota, ...property("spec", "perStep", "cpuTime")) as string)).toBe(
      defaults.quota.perStep.cpuTimeMs,
    );
    expect([...(schemaDefault(dag, ...step("retry", "errors")) as readonly string[])].sort()).toEqual(
      defaults.retry.errors,
    );
  });
});

describe("effective values", () => {
  it("of a tenant without files are the defaults, and nothing is granted", () => {
    const empty = decoded("tenants/acme/quota.yaml", "apiVersion: orrery/v1\nkind: Quota\nspec: {}\n");

    expect(effectiveQuota(null)).toEqual(empty.spec);
    expect(effectiveAllowlist(null)).toEqual({ plugins: [], endpoints: [], secrets: [] });
    expect(effectiveTenant(null)).toEqual({ owners: [], contact: null, suspend: false, freeze: [] });
    expect(effectiveRepository(null)).toEqual({
      trust: { commits: "require", merges: "firstParent", groups: {}, paths: null, forges: [] },
      brakes: { prunePercent: 20 },
    });
  });

  it("of a step are all there", () => {
    const [step] = sampleDag(
      dagText("steps:\n  a: { uses: core.log@1.0.0, forEach: { in: [] }, limits: { timeout: 90s } }"),
    ).steps;

    expect(step).toEqual({
      stepId: "a",
      uses: { name: "core.log", version: "1.0.0" },
      needs: [],
      when: null,
      with: {},
      code: null,
      files: [],
      network: [],
      secrets: {},
      forEach: { in: [], as: "item", maxItems: 1000, maxParallel: null },
      retry: { maxAttempts: 1, backoffMs: 5000, factor: 2, maxBackoffMs: 300_000, errors: ["timeout", "transient"] },
      limits: { memoryBytes: 134_217_728, cpuTimeMs: 60_000, scratchBytes: 16_777_216, timeoutMs: 90_000 },
      continueOnError: false,
      isolation: null,
    });
  });

  it("give steps in byte order of their ids", () => {
    const dag = sampleDag(
      dagText("steps:\n  b_1: { uses: core.log@1.0.0 }\n  a: { uses: core.log@1.0.0 }\n  b: { uses: core.log@1.0.0 }"),
    );

    expect(dag.steps.map(({ stepId }) => stepId)).toEqual(["a", "b", "b_1"]);
  });
});

describe("resolveInputs", () => {
  const dag = sampleDag(
    dagText(
      "inputs: { day: { type: date }, n: { type: integer, default: 3, maximum: 5 }, mode: { type: string, enum: [a, b], default: a } }\nsteps:\n  a: { uses: core.log@1.0.0 }",
    ),
  );

  it("fills in defaults", () => {
    expect(resolveInputs(dag, { day: "2026-03-01" })).toEqual({
      ok: true,
      inputs: { day: "2026-03-01", n: 3, mode: "a" },
    });
  });

  it.each<[string, JsonObject, string]>([
    ["a missing input", {}, ""],
    ["an unknown input", { day: "2026-03-01", x: 1 }, "/x"],
    ["a wrong type", { day: "2026-03-01", n: "3" }, "/n"],
    ["a number over its maximum", { day: "2026-03-01", n: 6 }, "/n"],
    ["a day that does not exist", { day: "2026-02-30" }, "/day"],
    ["a value that is not in the list", { day: "2026-03-01", mode: "c" }, "/mode"],
  ])("names %s", (_what, given, pointer) => {
    expect(resolveInputs(dag, given)).toMatchObject({ ok: false, findings: [{ pointer }] });
  });

  it("takes no input where the DAG has none", () => {
    const bare = sampleDag(dagText("steps:\n  a: { uses: core.log@1.0.0 }"));

    expect(resolveInputs(bare, {})).toEqual({ ok: true, inputs: {} });
    expect(resolveInputs(bare, { x: 1 })).toMatchObject({ ok: false });
  });

  it("names one of a million wrong items and stops", () => {
    const schema = { type: "object", properties: { xs: { type: "array", items: { type: "string" } } } };
    const inputs = { xs: Array.from({ length: 200_000 }, (_, n) => n) };

    const resolved = resolveInputs({ inputsSchema: schema, inputDefaults: {} }, inputs);

    expect(resolved.ok ? 0 : resolved.findings.length).toBe(1);
  });
});

describe("schemas from a spec", () => {
  it("compile once each, and thousands of them leave nothing behind that fails", () => {
    for (let n = 0; n < 450; n++) {
      const schema = { type: "object", properties: { [`p${String(n)}`]: { enum: ["x", n] } } };
      expect(valueSchemaDefect(schema)).toBeNull();
      expect(valueDefects(schema, { [`p${String(n)}`]: n }, "first")).toEqual([]);
    }
  });

  it.each<[string, JsonObject]>([
    ["unique items without bound", { type: "array", uniqueItems: true }],
    [
      "a hanging pattern deep inside",
      { type: "object", properties: { a: { anyOf: [{ type: "string", pattern: "(x+)+y" }] } } },
    ],
    [
      "too many nodes",
      { type: "object", properties: Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [`p${String(n)}`, {}])) },
    ],
    ["a list of types that repeats", { type: ["string", "string"] }],
  ])("are refused with %s", (_what, schema) => {
    expect(valueSchemaDefect(schema)).not.toBeNull();
  });

  it("accept the mark for third-party documents", () => {
    expect(
      valueSchemaDefect({ type: "object", properties: { d: { type: "object", "x-orrery-aoc": "source" } } }),
    ).toBeNull();
  });
});

describe("plugin.js", () => {
  const manifest = { sha256: "a".repeat(64) };
  const path = "plugins/core.log/1.0.0/plugin.yaml";

  it("is accepted with the digest of its manifest alone", () => {
    expect(checkPluginBytes(manifest, "a".repeat(64), path)).toBeNull();
    expect(checkPluginBytes(manifest, "b".repeat(64), path)).toMatchObject({ code: "PLUGIN_DIGEST", path });
    expect(checkPluginBytes(manifest, null, path)).toMatchObject({ code: "PLUGIN_DIGEST", path });
  });
});

describe("units", () => {
  it.each([
    ["250ms", 250],
    ["30s", 30_000],
    ["5m", 300_000],
    ["24h", 86_400_000],
    ["14d", 1_209_600_000],
  ])("%s is %d ms and back", (text, ms) => {
    expect(durationMs(text)).toBe(ms);
    expect(durationMs(durationText(ms))).toBe(ms);
  });

  it("128Mi is bytes and back", () => {
    expect(sizeBytes("128Mi")).toBe(134_217_728);
    expect(sizeText(134_217_728)).toBe("128Mi");
  });
});

describe("positionOf", () => {
  it("falls back to the nearest ancestor that stands in the file", () => {
    const { positions } = decodedDag(
      dagText("steps:\n  a:\n    uses: core.log@1.0.0\n    needs: b\n  b: { uses: core.log@1.0.0 }"),
    );

    expect(positionOf(positions, "/spec/steps/a/needs/0")).toEqual({ line: 7, col: 14 });
    expect(positionOf(positions, "/spec/steps/a", "key")).toEqual({ line: 5, col: 5 });
    expect(positionOf(positions, "/spec/finally/x/y")).toEqual(positionOf(positions, "/spec"));
  });

  it("follows the sets that the normal form sorts", () => {
    const { positions } = decodedDag(
      dagText(
        "steps:\n  a: { uses: core.log@1.0.0, needs: [c, b] }\n  b: { uses: core.log@1.0.0 }\n  c: { uses: core.log@1.0.0 }",
      ),
    );

    const [first, second] = ["/spec/steps/a/needs/0", "/spec/steps/a/needs/1"].map(
      (pointer) => positionOf(positions, pointer).col,
    );
    expect(first).toBeGreaterThan(second ?? 0);
  });
});
