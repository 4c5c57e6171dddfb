import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { median, type Row, timeMs } from "./measure.ts";

const root = path.resolve(import.meta.dirname, "..", "..");
const cli = path.join(root, "dist", "src", "cli", "main.js");
const rounds = 5;

/** A developer's turn, commands as they are typed: change a file, build, run. Beside it a Node process that does nothing. */
export function innerLoopRows(): Promise<readonly Row[]> {
  if (!existsSync(cli)) throw new Error("bench: inner-loop runs the built command line: npm run build");
  const work = mkdtempSync("/tmp/orrery-bench-loop-");
  try {
    cpSync(path.join(root, "specs-example"), work, { recursive: true });
    return measured(work).finally(() => rmSync(work, { recursive: true, force: true }));
  } catch (error) {
    rmSync(work, { recursive: true, force: true });
    throw error;
  }
}

async function measured(work: string): Promise<readonly Row[]> {
  orrery(work, "plugin", "init", "acme/acme.count");
  writeFileSync(path.join(work, "tenants/acme/dags/count.yaml"), countDag);
  const allowlist = path.join(work, "tenants/acme/allowlist.yaml");
  const grant = '  plugins:\n    - { name: "acme.*", versions: ["1.x"] }\n';
  writeFileSync(allowlist, readFileSync(allowlist, "utf8").replace("  plugins:\n", grant));
  const source = "plugin-src/acme/acme.count";
  const task = path.join(work, source, "task.ts");
  const hello = path.join(work, "tenants/acme/dags/hello.yaml");
  const node = await turns(() => spawnSync(process.execPath, ["-e", "0"]));
  const turn = async (what: string, work: (round: number) => void): Promise<Row> => ({
    what,
    ours: (await turns(work)) / 1000,
    unit: "s",
    beside: { name: "node -e 0", value: node / 1000 },
    note: `median of ${String(rounds)}, confined where it can be had, the canary each time`,
  });
  return [
    await turn("change a DAG, run --local", (round) => {
      appendFileSync(hello, `# ${String(round)}\n`);
      orrery(work, "run", "--local", "--allow-weak", "acme/hello");
    }),
    await turn("change a task, plugin test (builds it)", (round) => {
      appendFileSync(task, `// ${String(round)}\n`);
      orrery(work, "plugin", "test", "--allow-weak", source);
    }),
    await turn("change a task, plugin build, run --local", (round) => {
      appendFileSync(task, `console.log(${String(round)});\n`);
      orrery(work, "plugin", "build", source);
      orrery(work, "run", "--local", "--allow-weak", "acme/count");
    }),
  ];
}

const countDag = `apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Measure a turn.
  steps:
    count: { uses: acme.count@1.0.0, with: { items: [a, b] } }
`;

async function turns(work: (round: number) => unknown): Promise<number> {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round++) samples.push(await timeMs(() => Promise.resolve(work(round))));
  return median(samples);
}

function orrery(cwd: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd, encoding: "utf8" });
  // A turn that failed early would be fast.
  if (status !== 0) throw new Error(`orrery ${args.join(" ")}: exit ${String(status)}\n${stderr}`);
}
