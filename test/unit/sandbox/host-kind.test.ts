import { describe, expect, it } from "vitest";
import { bindingKey, hostKindOf } from "../../../src/sandbox/host-kind.ts";
import type { StepRequest } from "../../../src/sandbox/index.ts";
import { stepRequest } from "../../hostile/sandbox/open-sandbox.ts";

const mebibyte = 1024 * 1024;

describe("hostKindOf", () => {
  it.each([
    [1, 128],
    [128, 128],
    [129, 256],
    [256, 256],
    [1000, 1024],
  ])("fits %i MiB of memory into %i", (asked, given) => {
    const kind = hostKindOf(stepRequest("() => ({})", { limits: { memoryBytes: asked * mebibyte } }));

    expect(kind.memoryBytes).toBe(given * mebibyte);
  });

  it.each([
    [1, 16],
    [16, 16],
    [17, 64],
    [65, 128],
  ])("fits %i MiB of scratch into %i", (asked, given) => {
    const kind = hostKindOf(stepRequest("() => ({})", { limits: { scratchBytes: asked * mebibyte } }));

    expect(kind.scratchBytes).toBe(given * mebibyte);
  });
});

describe("bindingKey", () => {
  const base = stepRequest("() => ({})");

  it("is equal for another run, step and item of the same kind", () => {
    const other = { ...base, runId: "x", stepId: "y", index: 3, attempt: 2, withText: "{}" };

    expect(bindingKey(other)).toBe(bindingKey(base));
  });

  it("differs by tenant, plugin, isolation, network and memory", () => {
    const others: StepRequest[] = [
      { ...base, tenant: "other" },
      { ...base, plugin: { ...base.plugin, sha256: "0".repeat(64) } },
      { ...base, plugin: { ...base.plugin, isolation: "host" } },
      { ...base, plugin: { ...base.plugin, builtins: ["fs"] } },
      { ...base, plugin: { ...base.plugin, nondeterministic: true } },
      { ...base, network: ["a:1"] },
      { ...base, network: ["a:2"] },
      { ...base, limits: { ...base.limits, memoryBytes: 64 * mebibyte } },
    ];

    expect(new Set([base, ...others].map(bindingKey)).size).toBe(others.length + 1);
  });
});
