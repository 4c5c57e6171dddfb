/**
 * Builds the shipped plugins from sandbox/plugins/<name>/ to specs-example/plugins/<name>/<version>/ and writes their
 * digests. The result is committed; `--check` writes nothing and exits 1 where it would change a byte.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { bundleOptions } from "../src/cli/plugin/bundle-options.ts";

const root = path.resolve(import.meta.dirname, "..");
const sources = path.join(root, "sandbox", "plugins");
const version = "1.0.0";

const check = process.argv.includes("--check");
let drifted = 0;

for (const name of readdirSync(sources).sort()) {
  const script = await bundle(name);
  const digest = createHash("sha256").update(script).digest("hex");
  const manifest = readFileSync(path.join(sources, name, "plugin.yaml"), "utf8").replace("@digest@", digest);
  const target = path.join("specs-example", "plugins", name, version);
  emit(path.join(target, "plugin.js"), script);
  emit(path.join(target, "plugin.yaml"), manifest);
}
if (drifted > 0) process.exitCode = 1;

async function bundle(name: string): Promise<string> {
  const result = await build({
    ...bundleOptions,
    entryPoints: [path.join("sandbox", "plugins", name, "plugin.ts")],
    absWorkingDir: root,
    logLevel: "error",
  });
  return result.outputFiles[0]?.text ?? "";
}

function emit(file: string, text: string): void {
  const full = path.join(root, file);
  if (read(full) === text) return;
  if (check) {
    process.stdout.write(`drift: ${file} (run: npm run generate)\n`);
    drifted++;
    return;
  }
  mkdirSync(path.dirname(full), { recursive: true });
  writeFileSync(full, text);
}

function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
