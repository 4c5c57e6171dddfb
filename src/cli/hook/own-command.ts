import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

/** The words that start this very program, wherever from: node, its options, the CLI's file. All paths are absolute. */
export function ownCommand(): readonly string[] {
  const extension = path.extname(import.meta.filename);
  const main = path.resolve(import.meta.dirname, "..", `main${extension}`);
  if (extension !== ".ts") return [process.execPath, main];
  // Run from source, as in development: node needs the loader.
  const loader = createRequire(import.meta.url).resolve("tsx");
  return [process.execPath, "--import", pathToFileURL(loader).href, main];
}
