import { execFile, execFileSync } from "node:child_process";
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/** A directory that goes away with its scope: `using scratch = scratchDir()`. */
export interface ScratchDir extends Disposable {
  readonly path: string;
  join(...parts: string[]): string;
}

/** `inMemory`: for tests of thousands of small files; falls back to the disk where there is no such place. */
export function scratchDir({ inMemory = false }: { readonly inMemory?: boolean } = {}): ScratchDir {
  const path = mkdtempSync(join(inMemory ? memoryDir() : tmpdir(), "orrery-git-"));
  return {
    path,
    join: (...parts) => join(path, ...parts),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

function memoryDir(): string {
  try {
    accessSync("/dev/shm", constants.W_OK);
    return "/dev/shm";
  } catch {
    return tmpdir();
  }
}

/** The environment of stock git in tests: nothing inherited but PATH, no configuration but the repository's own. */
export const gitEnvironment = (extra: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "",
  HOME: tmpdir(),
  LC_ALL: "C",
  TZ: "UTC",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
  GIT_AUTHOR_NAME: "Ana",
  GIT_AUTHOR_EMAIL: "ana@acme.example",
  GIT_COMMITTER_NAME: "Ana",
  GIT_COMMITTER_EMAIL: "ana@acme.example",
  GIT_AUTHOR_DATE: "1700000000 +0000",
  GIT_COMMITTER_DATE: "1700000000 +0000",
  ...extra,
});

export interface StockGitOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

const maxBuffer = 1 << 30;

/** Runs stock git, the oracle; its standard output as bytes. Throws with its standard error. */
export function stockGitBytes(cwd: string, args: readonly string[], options: StockGitOptions = {}): Buffer {
  return execFileSync("git", [...args], {
    cwd,
    env: gitEnvironment(options.env),
    maxBuffer,
    stdio: ["pipe", "pipe", "pipe"],
    ...(options.input === undefined ? {} : { input: options.input }),
  });
}

/** As `stockGitBytes`, as text without the last line's end. */
export const stockGit = (cwd: string, args: readonly string[], options: StockGitOptions = {}): string =>
  stockGitBytes(cwd, args, options).toString("utf8").replace(/\n$/u, "");

const execFileAsync = promisify(execFile);

/** Stock git beside us, for races; resolves with its exit code. */
export async function stockGitBeside(cwd: string, args: readonly string[]): Promise<number> {
  try {
    await execFileAsync("git", [...args], { cwd, env: gitEnvironment(), maxBuffer });
    return 0;
  } catch (error) {
    const code: unknown = error instanceof Error && "code" in error ? error.code : null;
    if (typeof code === "number") return code;
    throw error;
  }
}

/** A new repository on branch main, without commits. */
export function stockRepository(dir: string, { bare = false }: { readonly bare?: boolean } = {}): string {
  stockGit(tmpdir(), ["init", "-q", "-b", "main", "--template=", ...(bare ? ["--bare"] : []), dir]);
  return dir;
}

/** Writes files into the work tree and commits them on its branch; the new commit's id. */
export function commitFiles(dir: string, files: Readonly<Record<string, string>>, message = "change"): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  stockGit(dir, ["add", "-A"]);
  stockGit(dir, ["commit", "-q", "--allow-empty", "-m", message]);
  return stockGit(dir, ["rev-parse", "HEAD"]);
}

/** An empty commit made without index or work tree, on nothing but `parents`; its id. */
export function bareCommit(dir: string, message: string, parents: readonly string[] = []): string {
  const tree = stockGit(dir, ["mktree"], { input: "" });
  return stockGit(dir, ["commit-tree", tree, "-m", message, ...parents.flatMap((parent) => ["-p", parent])]);
}
