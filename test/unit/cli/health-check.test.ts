import { describe, expect, it } from "vitest";
import { renderCheck } from "../../../src/cli/doctor/health-check.ts";
import { levelCheck } from "../../../src/cli/doctor/sandbox-checks.ts";
import { clockCheck, spaceCheck } from "../../../src/cli/doctor/site-checks.ts";
import { nodeCheck } from "../../../src/cli/doctor/tool-checks.ts";
import type { SandboxFacts } from "../../../src/sandbox/index.ts";

describe("health checks", () => {
  it.each([
    ["18.20.0", "FAIL"],
    ["20.18.3", "FAIL"],
    ["20.19.0", "ok"],
    ["24.1.0", "ok"],
  ])("Node %s is %s", (version, state) => {
    expect(nodeCheck(version).state).toBe(state);
  });

  it.each([
    [0, "FAIL"],
    [255, "FAIL"],
    [256, "warn"],
    [2047, "warn"],
    [2048, "ok"],
  ])("%i MiB of free space is %s", (free, state) => {
    expect(spaceCheck("/data", free * 1024 * 1024).state).toBe(state);
  });

  it.each([
    [0, "ok"],
    [300, "ok"],
    [301, "FAIL"],
  ])("a commit %i s ahead of the clock is %s, as the trust walk judges", (ahead, state) => {
    const now = new Date("2026-11-24T00:00:00Z");

    expect(clockCheck(now, now.getTime() / 1000 + ahead).state).toBe(state);
  });

  it("a clock before this program was made is a FAIL", () => {
    expect(clockCheck(new Date(0), null).state).toBe("FAIL");
  });

  it.each([
    ["none", "process", "FAIL"],
    ["process", "confined", "FAIL"],
    ["process", "process", "ok"],
    ["confined", "confined", "ok"],
    ["confined", "sealed", "FAIL"],
  ] as const)("level %s where %s is wanted is %s", (level, wanted, state) => {
    const facts: SandboxFacts = { level, probes: [], reason: "why", fix: "do", unheld: [], node: "v20" };

    expect(levelCheck(facts, wanted).state).toBe(state);
  });

  it("a line is state, what, detail and the fix", () => {
    expect(renderCheck({ state: "FAIL", what: "disk", detail: "full", fix: "free some" })).toBe(
      "FAIL  disk: full (free some)",
    );
    expect(renderCheck({ state: "ok", what: "git", detail: "2.39", fix: null })).toBe("ok    git: 2.39");
  });
});
