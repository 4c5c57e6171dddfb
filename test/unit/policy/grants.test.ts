import { describe, expect, it } from "vitest";
import {
  endpointGranted,
  grantFindings,
  nameMatches,
  pluginGranted,
  type SecretKnowledge,
  versionMatches,
} from "../../../src/policy/index.ts";
import { type DagSpec, defaults, type Quota, type StepSpec } from "../../../src/spec/index.ts";
import { step } from "../dag/walk-fixture.ts";
import { allowlist, nothing, quota } from "./policy-fixture.ts";

describe("pluginGranted", () => {
  it.each([
    ["core.log", "1.0.0", true],
    ["core.log", "1.9.12", true],
    ["core.log", "2.0.0", false],
    ["core.log", "1.0.0-rc.1", false],
    ["core.log", "10.0.0", false],
    ["corelog", "1.0.0", false],
    ["core", "1.0.0", false],
    ["notify.post", "1.2.9", true],
    ["notify.post", "1.20.0", false],
    ["notify.post", "1.3.0", false],
    ["notify.post", "3.0.0", true],
    ["notify.post", "3.0.1", false],
    ["notify.poster", "3.0.0", false],
  ])("%s@%s: %s", (name, version, granted) => {
    expect(pluginGranted(allowlist, { name, version })).toBe(granted);
  });

  it("grants nothing from an empty allowlist, core neither", () => {
    expect(pluginGranted(nothing, { name: "core.log", version: "1.0.0" })).toBe(false);
  });

  it("takes a star only at the end of a name", () => {
    expect(nameMatches("*", "any.thing")).toBe(true);
    expect(nameMatches("c*re.log", "core.log")).toBe(false);
    expect(nameMatches("", "core.log")).toBe(false);
  });

  it("takes no regular expression for a version", () => {
    expect(versionMatches("1..", "1.0")).toBe(false);
    expect(versionMatches(".*", "1.0.0")).toBe(false);
    expect(versionMatches("x", "1.0.0")).toBe(false);
    expect(versionMatches(".x", "1.0.0")).toBe(false);
  });
});

describe("endpointGranted", () => {
  it("grants host and port to the plugins that the grant names, without regard to case", () => {
    expect(endpointGranted(allowlist, "notify.post", "Notify.Internal", 443)).toBe(allowlist.endpoints[0]);
    expect(endpointGranted(allowlist, "notify.post", "notify.internal", 80)).toBeNull();
    expect(endpointGranted(allowlist, "notify.post", "evil.notify.internal", 443)).toBeNull();
    expect(endpointGranted(allowlist, "core.js", "notify.internal", 443)).toBeNull();
  });

  it("grants nobody where `for` is empty", () => {
    const open = { ...allowlist, endpoints: [{ host: "h", port: 1, private: false, for: [] }] };

    expect(endpointGranted(open, "notify.post", "h", 1)).toBeNull();
  });

  it("knows an IPv6 address with and without brackets", () => {
    const six = { ...allowlist, endpoints: [{ host: "::1", port: 8080, private: true, for: ["*"] }] };

    expect(endpointGranted(six, "notify.post", "[::1]", 8080)).not.toBeNull();
  });
});

const dagOf = (steps: StepSpec[], fields: Partial<DagSpec> = {}): DagSpec => ({
  rationale: null,
  inputsSchema: {},
  inputDefaults: {},
  schedules: [],
  concurrency: { max: 1, overlap: "queue" },
  timeoutMs: 3_600_000,
  steps,
  finally: [],
  ...fields,
});

const ask = (dag: DagSpec, fields: { quota?: Quota; allowlist?: typeof allowlist } = {}) =>
  grantFindings(dag, {
    quota: fields.quota ?? quota,
    allowlist: fields.allowlist ?? allowlist,
    secrets: { pinned: [], site: null },
    path: "tenants/acme/dags/d.yaml",
    place: (pointer) => ({ line: pointer.length, col: 1 }),
    shortestIntervalMs: (s) => (s.timing.kind === "every" ? s.timing.everyMs : 86_400_000),
  });

describe("grantFindings", () => {
  it("finds nothing in a DAG that stays within its grants", () => {
    expect(ask(dagOf([step("a")]))).toEqual([]);
  });

  it("finds the plugin, with its place and what to ask for", () => {
    const uses = { name: "vex-lens.link", version: "1.0.0" };

    expect(ask(dagOf([step("a", { uses })]))).toEqual([
      {
        code: "PLUGIN_NOT_ALLOWED",
        severity: "denied",
        path: "tenants/acme/dags/d.yaml",
        line: "/spec/steps/a/uses".length,
        col: 1,
        pointer: "/spec/steps/a/uses",
        message: "plugin vex-lens.link@1.0.0 is not granted to this tenant",
        fix: 'Ask for { name: vex-lens.link, versions: ["1.0.0"] } under plugins in allowlist.yaml.',
      },
    ]);
  });

  it("finds each endpoint that is not granted to the step's own plugin, in finally too", () => {
    const post = { name: "notify.post", version: "1.2.0" };
    const found = ask(
      dagOf([step("a", { uses: post, network: ["notify.internal:443", "other:443"] })], {
        finally: [step("z", { network: ["notify.internal:443"] })],
      }),
    );

    expect(found.map((f) => [f.code, f.pointer])).toEqual([
      ["ENDPOINT_NOT_ALLOWED", "/spec/steps/a/network/1"],
      ["ENDPOINT_NOT_ALLOWED", "/spec/finally/z/network/0"],
    ]);
  });

  it("finds each limit over the quota", () => {
    const limits = { memoryBytes: 2 ** 40, cpuTimeMs: 60_000, scratchBytes: 0, timeoutMs: 600_001 };

    expect(ask(dagOf([step("a", { limits })])).map((f) => f.pointer)).toEqual([
      "/spec/steps/a/limits/memory",
      "/spec/steps/a/limits/timeout",
    ]);
  });

  it("takes a limit that is not written for the smaller of default and ceiling", () => {
    const perStep = {
      memoryBytes: 2 ** 20,
      cpuTimeMs: 1000,
      timeoutMs: 1000,
      scratchBytes: 2 ** 10,
      outputBytes: 2 ** 10,
    };
    const small = { quota: { ...quota, perStep } };
    const written = { ...defaults.limits, memoryBytes: 2 ** 21 };

    expect(ask(dagOf([step("a")]), small)).toEqual([]);
    expect(ask(dagOf([step("a", { limits: written })]), small).map((f) => f.pointer)).toEqual([
      "/spec/steps/a/limits/memory",
    ]);
  });

  it("finds a schedule below minInterval and takes one that is exactly as long", () => {
    const schedule = (everyMs: number) => ({
      name: "default",
      timing: { kind: "every" as const, everyMs },
      timezone: "UTC",
      catchUp: { policy: "none" as const, maxAgeMs: null },
      inputs: {},
    });
    const found = ask(dagOf([step("a")], { schedules: [schedule(60_000), schedule(15_000)] }));

    expect(found).toMatchObject([
      {
        code: "INTERVAL_BELOW_QUOTA",
        pointer: "/spec/schedules/1/every",
        message: "schedule default fires every 15s, below minInterval 1m of the quota",
      },
    ]);
  });
});

describe("secrets of a step", () => {
  const uses = { name: "notify.post", version: "3.0.0" };
  const lent = dagOf([step("post", { uses, secrets: { token: "notify_token" } })]);
  const known = (secrets: SecretKnowledge, dag = lent) =>
    grantFindings(dag, {
      ...{ quota, allowlist, secrets, path: "tenants/acme/dags/d.yaml" },
      place: () => ({ line: 1, col: 1 }),
      shortestIntervalMs: () => 86_400_000,
    }).map(({ code, severity, pointer, message }) => [severity, code, pointer, message]);

  it("are denied where the allowlist does not name them for this plugin, whatever has a value", () => {
    const other = dagOf([step("log", { secrets: { token: "notify_token" } })]);

    expect(known({ pinned: ["notify_token"], site: new Map([["notify_token", null]]) }, other)).toEqual([
      [
        "denied",
        "SECRET_NOT_ALLOWED",
        "/spec/steps/log/secrets/token",
        "secret notify_token is not granted for core.log",
      ],
    ]);
  });

  it("are denied where this site has no value, or one that must not be used", () => {
    const at = "/spec/steps/post/secrets/token";

    expect(known({ pinned: [], site: new Map() })).toEqual([
      ["denied", "SECRET_MISSING", at, "secret notify_token has no value on this site"],
    ]);
    expect(known({ pinned: ["notify_token"], site: new Map([["notify_token", "it is a symlink"]]) })).toEqual([
      ["denied", "SECRET_MISSING", at, "secret notify_token cannot be used: it is a symlink"],
    ]);
    expect(known({ pinned: [], site: new Map([["notify_token", null]]) })).toEqual([]);
  });

  it("are a warning where nobody can tell: no age file, and no site was asked", () => {
    expect(known({ pinned: ["notify_token"], site: null })).toEqual([]);
    expect(known({ pinned: [], site: null }).map(([severity, code]) => [severity, code])).toEqual([
      ["warning", "SECRET_MISSING"],
    ]);
  });
});
