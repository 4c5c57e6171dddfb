import { writeFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

export interface TestCounts {
  passed: number;
  failed: number;
  skipped: { name: string; reason: string }[];
  /** Files that could not be collected count as failures too. */
  broken: string[];
}

/** Counts what ran into the file named by ORRERY_TEST_COUNTS, for scripts/test.ts. */
export default class CountingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts: TestCounts = { passed: 0, failed: 0, skipped: [], broken: [] };
    for (const module of modules) {
      if (module.errors().length > 0) counts.broken.push(module.relativeModuleId);
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") counts.passed++;
        else if (result.state === "failed") counts.failed++;
        else
          counts.skipped.push({
            name: test.fullName,
            reason: (result.state === "skipped" ? result.note : undefined) ?? "",
          });
      }
    }
    const file = process.env["ORRERY_TEST_COUNTS"];
    if (file !== undefined) writeFileSync(file, JSON.stringify(counts));
  }
}
