import type { Allowlist, Quota } from "../../../src/spec/index.ts";

const Mi = 1024 * 1024;

export const quota: Quota = {
  weight: 1,
  runs: { maxConcurrent: 4, maxQueued: 100, startsPerHour: null },
  steps: { maxConcurrent: 4 },
  perStep: { memoryBytes: 256 * Mi, cpuTimeMs: 60_000, timeoutMs: 600_000, scratchBytes: 64 * Mi, outputBytes: Mi },
  perDay: { cpuTimeMs: null, artifactBytes: null },
  minIntervalMs: 60_000,
  overrides: [],
};

export const nothing: Allowlist = { plugins: [], endpoints: [], secrets: [] };

export const allowlist: Allowlist = {
  plugins: [
    { name: "core.*", versions: ["1.x"] },
    { name: "notify.post", versions: ["1.2.x", "3.0.0"] },
  ],
  endpoints: [{ host: "notify.internal", port: 443, private: true, for: ["notify.*"] }],
  secrets: [{ name: "notify_token", for: ["notify.*"] }],
};
