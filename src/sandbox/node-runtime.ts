import { execFile } from "node:child_process";
import { chmod, copyFile, link, mkdir, readdir, readFile, realpath, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Files that a host needs beside its own code: [on this machine, inside]. */
export interface NodeRuntime {
  readonly node: string;
  readonly appDir: string;
  readonly libraries: readonly (readonly [source: string, target: string])[];
}

/**
 * The node binary and the libraries that it loads, each readable by a host's own user. What lies behind a closed
 * directory (a checkout or a node below /root) is linked or copied into `copyDir` once; null = hosts have no other user
 * than we, so nothing is closed to them.
 */
export async function nodeRuntime(nodePath: string, appDir: string, copyDir: string | null): Promise<NodeRuntime> {
  const node = await realpath(nodePath);
  if (copyDir === null) {
    const libraries = (await librariesOf(node)).map(async (path) => [await realpath(path), path] as const);
    return { node, appDir: await realpath(appDir), libraries: await Promise.all(libraries) };
  }
  return {
    node: await reachable(node, join(copyDir, "node")),
    appDir: await reachableDir(appDir, join(copyDir, "app")),
    libraries: await Promise.all(
      (await librariesOf(node)).map(async (target): Promise<readonly [string, string]> => {
        const source = await realpath(target);
        return [await reachable(source, join(copyDir, "lib", basename(target))), target];
      }),
    ),
  };
}

async function librariesOf(node: string): Promise<string[]> {
  // A statically linked node has none: ldd says so by its exit code.
  const { stdout } = await run("ldd", [node], { env: {} }).catch(() => ({ stdout: "" }));
  const paths = stdout.split("\n").map((line) => /(?:=>\s+|^\s+)(\/\S+)\s+\(0x/.exec(line)?.[1]);
  return paths.filter((path) => path !== undefined);
}

/** Everybody may read it and pass every directory above it. */
async function isOpen(path: string): Promise<boolean> {
  return ((await stat(path)).mode & 0o004) !== 0 && isPassable(dirname(path));
}

/** Everybody may pass this directory and all above it. */
export async function isPassable(path: string): Promise<boolean> {
  for (let dir = path; ; dir = dirname(dir)) {
    if (((await stat(dir)).mode & 0o001) === 0) return false;
    if (dir === dirname(dir)) return true;
  }
}

async function reachable(path: string, copy: string): Promise<string> {
  if (await isOpen(path)) return path;
  await mkdir(dirname(copy), { recursive: true, mode: 0o755 });
  const [want, have] = await Promise.all([stat(path), stat(copy).catch(() => null)]);
  if (have?.size === want.size && have.mtimeMs >= want.mtimeMs) return copy;
  await rm(copy, { force: true });
  // A link shares its mode with the original, which is not ours to change.
  const isReadable = (want.mode & 0o005) === 0o005;
  await (isReadable ? link(path, copy).catch(() => copyFile(path, copy)) : copyFile(path, copy));
  if (!isReadable) await chmod(copy, 0o755);
  return copy;
}

async function reachableDir(dir: string, copyDir: string): Promise<string> {
  const names = await readdir(dir);
  const open = await Promise.all(names.map((name) => isOpen(join(dir, name))));
  if (open.every(Boolean)) return dir;
  await mkdir(copyDir, { recursive: true, mode: 0o755 });
  for (const name of names) await replaceFile(join(dir, name), join(copyDir, name));
  return copyDir;
}

async function replaceFile(from: string, to: string): Promise<void> {
  const [want, have] = await Promise.all([readFile(from), readFile(to).catch(() => null)]);
  if (have?.equals(want) !== true) await copyFile(from, to);
  await chmod(to, 0o644);
}
