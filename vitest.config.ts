import { defineConfig } from "vitest/config";
import { soakTimeout } from "./test/support/effort.ts";

const project = (name: string, testTimeout: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    pool: "forks" as const,
    // piscina threads load .ts entries in tests.
    execArgv: ["--import", "tsx"],
    testTimeout: soakTimeout(testTimeout),
    hookTimeout: 120_000,
    maxWorkers: 2,
    globalSetup: name === "unit" ? [] : ["test/support/global-setup.ts"],
  },
});

export default defineConfig({
  test: {
    projects: [
      project("unit", 20_000),
      project("integration", 60_000),
      project("e2e", 180_000),
      project("hostile", 120_000),
    ],
  },
});
