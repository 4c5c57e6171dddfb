import type { BuildOptions } from "esbuild";

/** How any plugin becomes one classic script, a tenant's or a shipped one. A digest stands on each of these. */
export const bundleOptions = {
  bundle: true,
  write: false,
  format: "iife",
  globalName: "plugin",
  platform: "browser",
  target: "es2022",
  charset: "utf8",
  legalComments: "inline",
} as const satisfies BuildOptions;
