import { lstatSync, readdirSync, type Stats } from "node:fs";
import path from "node:path";
import { Fault } from "../../base/index.ts";
import { openWorkTree } from "../../git/index.ts";
import { classifyPath } from "../../spec/index.ts";
import { specRootOf } from "../place/spec-place.ts";
import { usage } from "../terminal.ts";

/**
 * The files that some paths stand for, each once, in the order of their names: a file is itself; a folder of a spec
 * repository stands for the documents below it; any other folder for every .yaml and .yml file below it. Links are not
 * followed. Names are as the paths were given.
 */
export function specFiles(paths: readonly string[]): readonly string[] {
  return [...new Set(paths.flatMap(filesOf))].sort();
}

function filesOf(given: string): readonly string[] {
  const stat = statOf(given);
  if (stat.isFile()) return [given];
  if (!stat.isDirectory()) throw usage(`${given} is neither a file nor a folder`);
  const root = rootOf(given);
  return root === null ? yamlFiles(given) : documentFiles(root, given);
}

function statOf(given: string): Stats {
  const stat = lstatSync(given, { throwIfNoEntry: false });
  if (stat === undefined) throw usage(`${given} does not exist`);
  return stat;
}

function rootOf(folder: string): string | null {
  try {
    return specRootOf(folder);
  } catch (error) {
    if (error instanceof Fault && error.code === "REPO_NOT_FOUND") return null;
    throw error;
  }
}

function documentFiles(root: string, folder: string): readonly string[] {
  const below = path.relative(root, path.resolve(folder)).split(path.sep).join("/");
  if (below === ".git" || below.startsWith(".git/") || !isWorkTree(root))
    throw usage(`${folder} holds no files of a work tree: clone the repository, or name a file`);
  const tree = openWorkTree(root);
  const prefix = below === "" ? "" : `${below}/`;
  return [...tree.walkTree(tree.root)]
    .filter(({ path: name, entry }) => name.startsWith(prefix) && entry.kind === "blob" && entry.defect === null)
    .filter(({ path: name }) => classifyPath(name) !== null)
    .map(({ path: name }) => path.join(folder, name.slice(prefix.length)));
}

const isWorkTree = (root: string): boolean =>
  ["orrery.yaml", ".git"].some((name) => lstatSync(path.join(root, name), { throwIfNoEntry: false }) !== undefined);

function yamlFiles(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name.startsWith(".") || entry.name === "node_modules" ? [] : yamlFiles(at);
    return entry.isFile() && /\.ya?ml$/.test(entry.name) ? [at] : [];
  });
}
