import { readFileSync } from "node:fs";
import path from "node:path";
import { packageRoot } from "../version.ts";
import { sourceFolder } from "./plugin-source.ts";

interface SourceName {
  readonly tenant: string;
  /** `<service>.<task>`. */
  readonly name: string;
  readonly version: string;
}

/** Files of a new plugin source, by repository path. */
export function sourceTexts(source: SourceName): ReadonlyMap<string, string> {
  const dir = `${sourceFolder}/${source.tenant}/${source.name}`;
  return new Map([
    [`${dir}/plugin.yaml`, manifestText(source)],
    [`${dir}/task.ts`, taskText],
    [`${dir}/task.test.ts`, testText],
    [`${dir}/examples/three.json`, exampleText],
  ]);
}

/** Types for editors, one set for all sources of a repository; no build reads them. */
export function editorTexts(): ReadonlyMap<string, string> {
  const sdk = readFileSync(path.join(packageRoot(), "sandbox", "sdk.ts"), "utf8");
  return new Map([
    [`${sourceFolder}/orrery-sdk.ts`, `// Of Orrery, for editors: the build brings its own.\n${sdk}`],
    [`${sourceFolder}/tsconfig.json`, tsconfigText],
  ]);
}

const manifestText = ({ name, version }: SourceName): string => `# What the task takes, gives and needs.
# orrery plugin build writes this with the digest of the script to tenants/<tenant>/plugins/<name>/<version>/.
apiVersion: orrery/v1
kind: Plugin
metadata: { name: ${name}, version: ${version} }
spec:
  service: ${name.slice(0, name.indexOf("."))}
  emits: raw  # derived: the output holds fields that only this service may state
  sha256: "${"0".repeat(64)}"
  effects: none  # idempotent or any where it changes something outside
  input:
    type: object
    required: [items]
    properties:
      items: { type: array, maxItems: 1000, items: { type: string, maxLength: 1024 } }
    additionalProperties: false
  output:
    type: object
    required: [count]
    properties:
      count: { type: integer }
    additionalProperties: false
`;

const taskText = `import { type Context, defineTask } from "orrery/sdk";

interface Input {
  readonly items: readonly string[];
}

/** Counts what it is given. */
export default defineTask({
  run({ items }: Input, ctx: Context) {
    ctx.log("info", "counted", { items: items.length });
    return { count: items.length };
  },
});
`;

const testText = `import { openTaskBench, type TaskBench } from "orrery/testing";
import { afterAll, beforeAll, expect, it } from "vitest";

let bench: TaskBench;

beforeAll(async () => {
  bench = await openTaskBench(import.meta.dirname);
}, 60_000);
afterAll(() => bench.close());

it("counts what it is given", async () => {
  const answer = await bench.run({ input: { items: ["a", "b"] } });

  expect(answer).toMatchObject({ status: "succeeded", output: { count: 2 } });
});

it("refuses what its schema does not take", async () => {
  const answer = await bench.run({ input: { items: "no list" } });

  expect(answer).toMatchObject({ status: "failed", code: "ERR_INPUT_SCHEMA" });
});
`;

const exampleText = `${JSON.stringify({ input: { items: ["a", "b", "c"] }, expect: { output: { count: 3 } } }, null, 2)}\n`;

const tsconfigText = `${JSON.stringify(
  {
    compilerOptions: {
      target: "ES2022",
      module: "NodeNext",
      moduleResolution: "NodeNext",
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      paths: { "orrery/sdk": ["./orrery-sdk.ts"] },
    },
  },
  null,
  2,
)}\n`;
