import type { Hex } from "../../base/index.ts";
import type { Finding } from "../decode/finding.ts";
import type { PluginManifest } from "../normal/plugin-manifest.ts";

/** A finding where plugin.js is not what its manifest pins; null = no plugin.js at all. */
export function checkPluginBytes(
  manifest: Pick<PluginManifest, "sha256">,
  sha256OfBytes: Hex | null,
  manifestPath: string,
): Finding | null {
  if (sha256OfBytes === manifest.sha256) return null;
  const path = manifestPath.replace(/plugin\.yaml$/, "plugin.js");
  const message =
    sha256OfBytes === null
      ? `${path} is not there`
      : `${path} has sha256 ${sha256OfBytes}, plugin.yaml says ${manifest.sha256}`;
  const fix =
    sha256OfBytes === null ? "Commit plugin.js beside plugin.yaml." : "Rebuild the plugin and write its digest.";
  return {
    code: "PLUGIN_DIGEST",
    severity: "error",
    path: manifestPath,
    line: 0,
    col: 0,
    pointer: "/spec/sha256",
    message,
    fix,
  };
}
