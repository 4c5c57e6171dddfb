/** `npm run build`: the daemon to dist/src by tsc, what runs inside the sandbox to dist/sandbox by esbuild. */
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { buildSandbox } from "./build-sandbox.ts";

rmSync("dist/src", { recursive: true, force: true });
const tsc = spawnSync(path.join("node_modules", ".bin", "tsc"), ["-p", "tsconfig.build.json"], { stdio: "inherit" });
if (tsc.status !== 0) process.exit(tsc.status ?? 1);
await buildSandbox("dist/sandbox");
cpSync("schemas", "dist/schemas", { recursive: true });

// `npx orrery` inside the checkout: npm links only the bins of dependencies.
chmodSync("dist/src/cli/main.js", 0o755);
rmSync("node_modules/.bin/orrery", { force: true });
symlinkSync("../../dist/src/cli/main.js", "node_modules/.bin/orrery");
