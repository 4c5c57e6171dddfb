import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type BuildOptions, build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Bundles what runs inside the sandbox into `outDir`: host.cjs (the process), worker.js (piscina's thread), step.cjs
 * (the step's entry), facade.js (evaluated in each realm), egress.cjs (undici, loaded with a broker only), canary.js
 * (the probes' plugin). One directory, readable by every host user, nothing else of the checkout is needed inside.
 */
export async function buildSandbox(outDir: string): Promise<void> {
  const source = join(root, "sandbox/host");
  const piscinaWorker = join(dirname(createRequire(import.meta.url).resolve("piscina")), "worker.js");
  await mkdir(outDir, { recursive: true, mode: 0o755 });
  // The checkout is `type: module`; piscina finds its thread by __dirname.
  await writeFile(join(outDir, "package.json"), '{"type":"commonjs"}\n', { mode: 0o644 });
  await Promise.all([
    bundle({ entryPoints: [join(source, "main.ts")], outfile: join(outDir, "host.cjs") }),
    bundle({ entryPoints: [piscinaWorker], outfile: join(outDir, "worker.js") }),
    bundle({ entryPoints: [join(source, "step.ts")], outfile: join(outDir, "step.cjs") }),
    bundle({ entryPoints: [join(source, "egress.ts")], outfile: join(outDir, "egress.cjs") }),
    bundle({
      entryPoints: [join(source, "realm/boot.ts")],
      outfile: join(outDir, "facade.js"),
      format: "iife",
      platform: "neutral",
      globalName: "facade",
      footer: { js: "facade.boot;" },
    }),
    bundle({
      entryPoints: [join(source, "canary.ts")],
      outfile: join(outDir, "canary.js"),
      format: "iife",
      globalName: "plugin",
    }),
  ]);
}

async function bundle(options: BuildOptions): Promise<void> {
  await build({
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20.19",
    external: ["@napi-rs/nice"],
    logLevel: "warning",
    legalComments: "none",
    absWorkingDir: root,
    ...options,
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  await buildSandbox(resolve(process.argv[2] ?? join(root, "dist/sandbox")));
