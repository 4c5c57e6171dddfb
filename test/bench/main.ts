/**
 * `npm run bench`: first figures, each beside a peer or a floor measured in the same run. Prints a table and one JSON
 * line. No figure is asserted. `npm run bench -- queue sandbox` runs some of it.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { openBenchServer } from "./bench-server.ts";
import { innerLoopRows } from "./inner-loop-rows.ts";
import { lintRows } from "./lint-rows.ts";
import { machineFacts, type Row, renderRows } from "./measure.ts";
import { memoryRows } from "./memory-rows.ts";
import { queueRows } from "./queue-rows.ts";
import { reconcileRows } from "./reconcile-rows.ts";
import { sandboxRows } from "./sandbox-rows.ts";
import { siteRows } from "./site-rows.ts";

const suites: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  site: siteRows,
  sandbox: sandboxRows,
  queue: async () => {
    installPeers();
    await using server = await openBenchServer();
    return await queueRows(server);
  },
  memory: memoryRows,
  "inner-loop": innerLoopRows,
  lint: lintRows,
  reconcile: reconcileRows,
};

const wanted = process.argv.slice(2);
const before = machineFacts();
const rows: Row[] = [];
for (const [name, suite] of Object.entries(suites)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  process.stderr.write(`bench: ${name}\n`);
  rows.push(...(await suite()));
}
process.stdout.write(
  `${renderRows(rows)}\n${JSON.stringify({ machine: before, loadAfter: machineFacts().load, rows })}\n`,
);
process.exit();

function installPeers(): void {
  if (existsSync(path.join(import.meta.dirname, "node_modules", "pg-boss"))) return;
  const result = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: import.meta.dirname,
    stdio: "inherit",
  });
  if (result.status !== 0) throw new Error("the bench's peers could not be installed");
}
