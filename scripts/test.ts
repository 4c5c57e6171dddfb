/**
 * `npm run check`, `npm test` and `npm run soak`: runs every gate in order, all of them even when one fails, and ends with
 * the plain line that CI counts. Exit 1 on any failure. A soak runs the tests that have a long form (test/support/effort.ts), for hours.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestCounts } from "./test-reporter.ts";

interface Gate {
  readonly name: string;
  readonly command: readonly string[];
  /** A vitest project: its tests are counted one by one; any other gate counts as one. */
  readonly project?: string;
}

const node = process.execPath;
const bin = (name: string): string => path.join("node_modules", ".bin", name);

const checks: readonly Gate[] = [
  { name: "format", command: [bin("biome"), "ci", "."] },
  { name: "types", command: [bin("tsc"), "-p", "."] },
  { name: "generated types", command: [node, "--import", "tsx", "scripts/generate-types.ts", "--check"] },
  { name: "plugins", command: [node, "--import", "tsx", "scripts/build-plugins.ts", "--check"] },
  { name: "docs", command: [node, "--import", "tsx", "scripts/generate-docs.ts", "--check"] },
  { name: "map", command: [node, "--import", "tsx", "scripts/draw-map.ts", "--check"] },
  { name: "lint", command: [bin("eslint"), "."] },
  { name: "import law", command: [bin("depcruise"), "src", "sandbox", "--config", ".dependency-cruiser.cjs"] },
  { name: "dead code", command: [bin("knip")] },
];

const project = (name: string): Gate => ({ name, project: name, command: [bin("vitest"), "run", "--project", name] });

const unit = project("unit");
const rest = ["integration", "e2e", "hostile"].map(project);

interface Outcome {
  readonly gate: Gate;
  readonly ok: boolean;
  readonly seconds: number;
  readonly counts: TestCounts;
}

const isSoak = process.argv[2] === "--soak";

const scratch = mkdtempSync(path.join(tmpdir(), "orrery-test-"));
const gates = gatesOf(process.argv[2]);
const outcomes = gates.map(runGate);
rmSync(scratch, { recursive: true, force: true });
report(outcomes);

function gatesOf(mode: string | undefined): readonly Gate[] {
  if (mode === "--check") return [...checks, unit];
  if (mode !== "--soak") return [...checks, unit, ...rest];
  return [unit, ...rest].flatMap(({ command, ...gate }) => {
    const files = longFiles(gate.name);
    return files.length === 0 ? [] : [{ ...gate, command: [...command, ...files] }];
  });
}

/** Tests of a project that have a long form. */
function longFiles(name: string): readonly string[] {
  const dir = path.join("test", name);
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .map((file) => path.join(dir, file))
    .filter((file) => file.endsWith(".test.ts") && readFileSync(file, "utf8").includes("/support/effort.ts"))
    .sort();
}

function runGate(gate: Gate): Outcome {
  const began = Date.now();
  const counts = path.join(scratch, `${gate.name}.json`);
  const [command = "", ...args] = gate.command;
  const extra = gate.project === undefined ? [] : ["--reporter=default", "--reporter=./scripts/test-reporter.ts"];
  process.stdout.write(`\n--- ${gate.name}\n`);
  const result = spawnSync(command, [...args, ...extra], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ORRERY_TEST_COUNTS: counts, FORCE_COLOR: "0", ...(isSoak ? { ORRERY_SOAK: "1" } : {}) },
  });
  const seconds = (Date.now() - began) / 1000;
  const ok = result.status === 0;
  if (gate.project === undefined) {
    return { gate, ok, seconds, counts: { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: [], broken: [] } };
  }
  return { gate, ok, seconds, counts: readCounts(counts, ok) };
}

/** A project that died before it counted is one failure, never nothing. */
function readCounts(file: string, ok: boolean): TestCounts {
  try {
    const counts = JSON.parse(readFileSync(file, "utf8")) as TestCounts;
    const none = counts.passed + counts.failed + counts.broken.length === 0;
    return none || (!ok && counts.failed + counts.broken.length === 0)
      ? { ...counts, failed: counts.failed + 1 }
      : counts;
  } catch {
    return { passed: 0, failed: 1, skipped: [], broken: [] };
  }
}

function report(all: readonly Outcome[]): void {
  process.stdout.write("\n");
  for (const { gate, ok, seconds, counts } of all) {
    const detail =
      gate.project === undefined
        ? ""
        : `${counts.passed} passed, ${counts.failed + counts.broken.length} failed, ${counts.skipped.length} skipped`;
    process.stdout.write(
      `${ok ? "ok  " : "FAIL"} ${gate.name.padEnd(16)} ${seconds.toFixed(1).padStart(6)} s  ${detail}\n`,
    );
  }
  for (const { counts } of all) {
    for (const { name, reason } of counts.skipped)
      process.stdout.write(`skipped: ${name}${reason === "" ? "" : ` (${reason})`}\n`);
    for (const file of counts.broken) process.stdout.write(`broken: ${file}\n`);
  }
  const passed = sum(all, (counts) => counts.passed);
  const failed = sum(all, (counts) => counts.failed + counts.broken.length);
  process.stdout.write(
    `\n${passed} passed, ${failed} failed, ${sum(all, (counts) => counts.skipped.length)} skipped\n`,
  );
  process.exitCode = failed > 0 || all.some(({ ok }) => !ok) ? 1 : 0;
}

function sum(all: readonly Outcome[], of: (counts: TestCounts) => number): number {
  return all.reduce((total, { counts }) => total + of(counts), 0);
}
