import path from "node:path";
import { build, type Plugin } from "esbuild";
import { Fault } from "../../base/index.ts";
import { bundleOptions } from "./bundle-options.ts";
import type { PluginSource } from "./plugin-source.ts";

/** All that `orrery/sdk` is at run time: given here, so that no bundle depends on where Orrery is installed. */
const sdkScript = "export const defineTask = (task) => task;\n";

const sdkPlugin: Plugin = {
  name: "orrery-sdk",
  setup: (bundler) => {
    bundler.onResolve({ filter: /^orrery\/sdk$/ }, () => ({ path: "sdk", namespace: "orrery" }));
    bundler.onLoad({ filter: /.*/, namespace: "orrery" }, () => ({ contents: sdkScript, loader: "js" }));
  },
};

/**
 * Bundles task.ts to one classic script. The same sources give the same bytes on any machine with the same esbuild: paths
 * in comments are relative to the repository, no tsconfig.json and no environment counts, and no
 * file outside of the repository but packages. Fault PLUGIN_BUILD.
 */
export async function bundleTask({ root, dir, manifest }: PluginSource): Promise<string> {
  try {
    const result = await build({
      ...bundleOptions,
      entryPoints: [path.posix.join(dir, "task.ts")],
      absWorkingDir: root,
      logLevel: "silent",
      metafile: true,
      // A tenant's repository may hold any; shipped plugins are built under the tsconfig.json of this one.
      tsconfigRaw: {},
      define: { "process.env.NODE_ENV": '"production"' },
      external: manifest.needs.builtins.flatMap((name) => [name, `node:${name.replace(/^node:/, "")}`]),
      plugins: [sdkPlugin],
    });
    const foreign = Object.keys(result.metafile.inputs).find(isForeign);
    if (foreign !== undefined)
      throw new Fault(
        "PLUGIN_BUILD",
        `${foreign} lies outside of the repository: a plugin is made of what is committed`,
      );
    return result.outputFiles[0]?.text ?? "";
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault("PLUGIN_BUILD", messagesOf(error), { cause: error });
  }
}

/** Links are followed, so the real place is judged. Packages may be installed above, or linked from elsewhere. */
const isForeign = (input: string): boolean =>
  (input.startsWith("../") || path.isAbsolute(input)) && !input.split("/").includes("node_modules");

interface BuildMessage {
  readonly text: string;
  readonly location: { readonly file: string; readonly line: number; readonly column: number } | null;
}

function messagesOf(error: unknown): string {
  const messages = (error as { readonly errors?: readonly BuildMessage[] }).errors ?? [];
  if (messages.length === 0) return error instanceof Error ? error.message : String(error);
  return messages
    .map(({ text, location }) =>
      location === null ? text : `${location.file}:${location.line}:${location.column + 1}: ${text}`,
    )
    .join("; ");
}
