import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

interface Answer {
  readonly exit: number;
  /** Standard output and error, as a terminal would show them. */
  readonly said: string;
}

const commandMs = 60_000;
/** Ends an answer; no command of ours prints it. */
const mark = "\u001e";

/** One bash that keeps its directory, variables and jobs from command to command. */
export class WalkShell implements AsyncDisposable {
  readonly #bash: ChildProcess;
  #text = "";

  constructor(cwd: string, env: Readonly<Record<string, string>>) {
    // A group of its own: what it started in the background ends with it.
    this.#bash = spawn("bash", ["--noprofile", "--norc"], { cwd, env, detached: true, stdio: "pipe" });
    this.#bash.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#text += text));
    this.#bash.stdin?.write("exec 2>&1\n");
  }

  async run(command: string): Promise<Answer> {
    const timeout = AbortSignal.timeout(commandMs);
    this.#text = "";
    // Else a command that reads its input would swallow the next one.
    this.#bash.stdin?.write(`{ ${command}\n} </dev/null\nprintf '${mark}%d${mark}' "$?"\n`);
    const { stdout } = this.#bash;
    while (!this.#text.endsWith(mark) || this.#text.split(mark).length < 3) {
      if (stdout === null || this.#bash.exitCode !== null) throw new Error(`the shell ended: ${this.#text}`);
      await once(stdout, "data", { signal: timeout }).catch((error: unknown) => {
        throw new Error(`no end of: ${command}\n${this.#text}`, { cause: error });
      });
    }
    const [said = "", exit] = this.#text.split(mark);
    return { exit: Number(exit), said };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.#bash;
    const ended = once(this.#bash, "close");
    if (pid !== undefined && this.#bash.exitCode === null) process.kill(-pid, "SIGTERM");
    this.#bash.stdin?.end();
    if (this.#bash.exitCode === null) await ended;
  }
}
