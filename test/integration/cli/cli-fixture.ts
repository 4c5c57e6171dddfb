import { execFileSync } from "node:child_process";
import { cpSync } from "node:fs";
import { runProgram } from "../../../src/cli/program.ts";
import type { Terminal } from "../../../src/cli/terminal.ts";
import { createPrivateKeyFile } from "../../../src/signer/index.ts";
import { type ScratchDir, scratchDir, stockGit } from "../../support/git-fixtures.ts";

export interface Ran {
  readonly exit: number;
  /** What it printed, line ends between prints. */
  readonly out: string;
  readonly notes: string;
}

/** Runs one command line in this process with a terminal that remembers. */
export async function orrery(...argv: string[]): Promise<Ran> {
  const out: string[] = [];
  const notes: string[] = [];
  const terminal: Terminal = {
    print: (line) => void out.push(line),
    note: (line) => void notes.push(line),
    isTty: false,
  };
  const exit = await runProgram(argv, terminal);
  return { exit, out: out.join("\n"), notes: notes.join("\n") };
}

export interface Home extends ScratchDir {
  /** Absolute path of a key of Ana's. */
  readonly key: string;
}

/** A scratch directory with a person's key in it. */
export function openHome(): Home {
  const scratch = scratchDir();
  const key = scratch.join("ana_key");
  createPrivateKeyFile(key, "ana@acme.example");
  return { ...scratch, key, [Symbol.dispose]: () => scratch[Symbol.dispose]() };
}

/** Environment variables for one test; what was there comes back. */
function withEnvironment(values: Readonly<Record<string, string | undefined>>): Disposable {
  const before = Object.fromEntries(Object.keys(values).map((name) => [name, process.env[name]]));
  const set = (all: Readonly<Record<string, string | undefined>>): void => {
    for (const [name, value] of Object.entries(all)) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  };
  set(values);
  return { [Symbol.dispose]: () => set(before) };
}

/** Nothing of the person who runs the tests: no ssh-agent, no git configuration. */
export const nobodysEnvironment = (home: ScratchDir, extra: Readonly<Record<string, string>> = {}): Disposable =>
  withEnvironment({
    ...{ SSH_AUTH_SOCK: undefined, ORRERY_DATA: undefined, DATABASE_URL: undefined, XDG_STATE_HOME: undefined },
    ...{ HOME: home.path, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: home.join("gitconfig") },
    ...extra,
  });

/** A copy of specs-example/ as a work tree with one (unsigned) commit. */
export function exampleWorkTree(home: ScratchDir, name = "work"): string {
  const dir = home.join(name);
  cpSync(new URL("../../../specs-example", import.meta.url), dir, { recursive: true });
  stockGit(home.path, ["init", "-q", "-b", "main", "--template=", dir]);
  stockGit(dir, ["add", "-A"]);
  stockGit(dir, ["commit", "-q", "-m", "example"]);
  return dir;
}

/** Runs lines of a shell as a person would paste them; its output. */
export function shell(cwd: string, lines: readonly string[], env: Readonly<Record<string, string>>): string {
  return execFileSync("/bin/sh", ["-e", "-c", lines.join("\n")], {
    cwd,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C", GIT_CONFIG_NOSYSTEM: "1", ...env },
  });
}
