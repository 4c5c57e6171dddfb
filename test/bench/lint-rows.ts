import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { runProgram } from "../../src/cli/program.ts";
import type { Row } from "./measure.ts";

const dags = Number(process.env["BENCH_DAGS"] ?? 10_000);
const tenants = 20;
const example = path.resolve(import.meta.dirname, "..", "..", "specs-example");

/** `orrery lint` over 10,000 DAGs that differ in every step, plan file and expression; nothing is cached before. */
export async function lintRows(): Promise<readonly Row[]> {
  const root = mkdtempSync("/tmp/orrery-bench-lint-");
  try {
    makeRepository(root);
    const printed: string[] = [];
    const terminal = { print: (line: string) => void printed.push(line), note: () => undefined, isTty: false };
    const before = process.cpuUsage();
    const began = performance.now();
    const exit = await runProgram(["lint", root, "-o", "json"], terminal);
    const ours = performance.now() - began;
    const { user, system } = process.cpuUsage(before);
    const report = JSON.parse(printed.join("")) as { readonly documents: number; readonly findings: readonly object[] };
    // A lint that stopped early would be fast.
    if (report.documents < dags || exit !== 0) throw new Error(`lint read ${report.documents} documents, exit ${exit}`);
    const floorBegan = performance.now();
    parseAll(root);
    const floor = performance.now() - floorBegan;
    const cpu = `${((user + system) / 1e6).toFixed(1)} s of CPU`;
    const note = `${report.documents} documents, cold, ${cpu}; the floor parses the same files on one core, no places, no checks`;
    return [
      {
        what: "lint 10,000 DAGs",
        ours: ours / 1000,
        unit: "s",
        beside: { name: "yaml.parse", value: floor / 1000 },
        note,
      },
    ];
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function makeRepository(root: string): void {
  cpSync(path.join(example, "plugins"), path.join(root, "plugins"), { recursive: true });
  writeFileSync(path.join(root, "orrery.yaml"), "apiVersion: orrery/v1\nkind: Repository\nspec: {}\n");
  const source = readFileSync(path.join(example, "tenants/acme/dags/nightly-vex.yaml"), "utf8");
  for (let t = 0; t < tenants; t += 1) {
    const tenant = path.join(root, "tenants", `tenant-${t}`);
    mkdirSync(path.join(tenant, "dags"), { recursive: true });
    mkdirSync(path.join(tenant, "files", "vex"), { recursive: true });
    writeFileSync(path.join(tenant, "files", "vex", "a.json"), "{}\n");
    for (const name of ["allowlist.yaml", "quota.yaml"])
      copyFileSync(path.join(example, "tenants/acme", name), path.join(tenant, name));
  }
  for (let n = 0; n < dags; n += 1) {
    const file = path.join(root, "tenants", `tenant-${n % tenants}`, "dags", `dag-${n}.yaml`);
    writeFileSync(file, varied(source, n));
  }
}

/** Another step name, another schedule, another text in each: no answer can be had from another document's. */
function varied(source: string, n: number): string {
  return source
    .replaceAll("judge", `judge_${n}`)
    .replace('"30 3 * * *"', `"${n % 60} ${(n % 20) + 3} * * *"`)
    .replace("before the morning gate", `before gate ${n}`);
}

function parseAll(root: string): void {
  for (const tenant of readdirSync(path.join(root, "tenants"))) {
    const folder = path.join(root, "tenants", tenant, "dags");
    for (const name of readdirSync(folder)) parse(readFileSync(path.join(folder, name), "utf8"));
  }
}
