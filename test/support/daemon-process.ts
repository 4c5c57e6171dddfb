import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { type CliOptions, type CliResult, orrery, spawnCli } from "./built-cli.ts";

export interface DaemonProcess extends AsyncDisposable {
  readonly pid: number;
  readonly dataDir: string;
  /** Its log lines so far, decoded. */
  readonly log: readonly LogLine[];
  /** Runs the built CLI against this daemon. */
  cli(...args: readonly string[]): Promise<CliResult>;
  /** The first log line, past or to come, that `matches`; of those from the `since`-th on. */
  logged(matches: (line: LogLine) => boolean, since?: number): Promise<LogLine>;
  /** A run of this DAG that is admitted from now on, or after the `since`-th log line, has ended; the line that says so. */
  nextRun(tenant: string, dagId: string, since?: number): Promise<LogLine>;
  /** Sends a signal and answers the exit code, null after a signal that killed it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg?: string };

const signalMs = 60_000;
const lastWords = 3000;

/** `orrery up --data DIR` as a process, on any free ports; resolves when it says that it is up. */
export async function startDaemonProcess(dataDir: string, options: CliOptions = {}): Promise<DaemonProcess> {
  const args = ["up", "--data", dataDir, "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"];
  const child = await spawnCli(args, options);
  const daemon = new RunningDaemon(child, dataDir);
  try {
    await daemon.logged(({ msg }) => msg === "the daemon is up");
  } catch (error) {
    await daemon.stop("SIGKILL");
    throw error;
  }
  return daemon;
}

const admissions: ReadonlySet<string> = new Set(["run admitted", "slot admitted"]);

class RunningDaemon implements DaemonProcess {
  readonly dataDir: string;
  readonly log: LogLine[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly #listeners = new Set<() => void>();
  #text = "";
  #rest = "";

  constructor(child: ChildProcess, dataDir: string) {
    this.#child = child;
    this.dataDir = dataDir;
    child.stderr?.on("data", (text: string) => this.#take(text));
    // Not `close`: a child that it left behind would hold the pipe open.
    this.#ended = new Promise((resolve) => child.once("exit", resolve));
    child.once("close", () => this.#tell());
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  cli(...args: readonly string[]): Promise<CliResult> {
    return orrery([...args, "--data", this.dataDir]);
  }

  async nextRun(tenant: string, dagId: string, since = this.log.length): Promise<LogLine> {
    const isOf = (line: LogLine): boolean => line["tenant"] === tenant && line["dagId"] === dagId;
    const admitted = await this.logged((line) => admissions.has(line.msg ?? "") && isOf(line), since);
    return this.logged((line) => line.msg === "run settled" && line["runId"] === admitted["runId"], since);
  }

  logged(matches: (line: LogLine) => boolean, since = 0): Promise<LogLine> {
    return new Promise((resolve, reject) => {
      let looked = since;
      const end = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(look);
      };
      const fail = (why: string): void => {
        end();
        reject(new Error(`the daemon ${why}; its last words:\n${this.#text.slice(-lastWords)}`));
      };
      const look = (): void => {
        for (; looked < this.log.length; looked++) {
          const line = this.log[looked];
          if (line === undefined || !matches(line)) continue;
          end();
          resolve(line);
          return;
        }
        if (this.#child.exitCode !== null || this.#child.signalCode !== null) fail("ended");
      };
      const timer = setTimeout(() => fail("did not log that in time"), signalMs);
      this.#listeners.add(look);
      look();
    });
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.#child.kill(signal);
    const late = setTimeout(() => this.#child.kill("SIGKILL"), signalMs);
    const exit = await this.#ended;
    clearTimeout(late);
    return exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #take(text: string): void {
    this.#text += text;
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.log.push(decode(line));
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function decode(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { msg: line };
  }
}

function procText(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${String(pid)}/${file}`, "utf8");
  } catch {
    return "";
  }
}

/** Every process that `pid` started, and those that they started, as of now. */
export function descendantsOf(pid: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const each of readdirSync("/proc").map(Number).filter(Number.isInteger)) {
    const stat = procText(each, "stat");
    parents.set(each, Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
  }
  const found = new Set([pid]);
  for (let before = 0; before !== found.size; ) {
    before = found.size;
    for (const [child, parent] of parents) if (found.has(parent)) found.add(child);
  }
  return [...found].filter((each) => each !== pid);
}
