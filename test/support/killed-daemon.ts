import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type pg from "pg";
import { systemClock } from "../../src/base/index.ts";
import type { Config } from "../../src/config/index.ts";
import { ensureRecorderKey, recorderKeyFileOf } from "../../src/daemon/index.ts";
import { issueToken, openApiKey } from "../../src/identity/index.ts";
import { readPrivateKey } from "../../src/signer/index.ts";
import { publicKeyLine } from "../../src/trust/index.ts";
import { withClient } from "./postgres-targets.ts";
import { type FileChanges, SpecCommits } from "./spec-commits.ts";

export const daemonSite = "hq";

/** A data directory with a spec repository that names its recorder's key; what a whole daemon needs to start. */
export interface DaemonPlace extends Disposable {
  readonly config: Config;
  readonly spec: SpecCommits;
  /** `ssh-ed25519 …` of the recorder. */
  readonly recorderLine: string;
  /** As superuser of the embedded server, while a daemon runs. */
  withDatabase<T>(work: (client: pg.Client) => Promise<T>): Promise<T>;
  token(tenant: string, scopes?: readonly string[]): Promise<string>;
}

export async function makeDaemonPlace(files: FileChanges): Promise<DaemonPlace> {
  const root = mkdtempSync(join(tmpdir(), "orrery-life-"));
  // The database's user must pass.
  chmodSync(root, 0o755);
  const dataDir = join(root, "data");
  ensureRecorderKey(dataDir, daemonSite);
  const recorderLine = publicKeyLine(readPrivateKey(recorderKeyFileOf(dataDir)).blob);
  const spec = await SpecCommits.create(join(root, "specs.git"), {
    ...{ clock: systemClock, site: daemonSite, recorder: recorderLine, files },
  });
  const config: Config = {
    ...{ site: daemonSite, specRef: spec.ref, repository: spec.dir, dataDir, credentialsDir: null },
    http: { host: "127.0.0.1", port: 0 },
    metrics: { host: "127.0.0.1", port: 0 },
    audit: { repository: null, maxLagMs: 24 * 3_600_000 },
    sandbox: { minLevel: "process", allowWeak: null, hosts: null },
    ...{ uidsBase: 61_000, databaseUrl: null, pinnedSigners: null },
  };
  const uid = process.getuid?.() ?? 0;
  const runDir = join(
    tmpdir(),
    `orrery-${String(uid)}-${createHash("sha256").update(dataDir).digest("hex").slice(0, 10)}`,
  );
  return {
    ...{ config, spec, recorderLine },
    withDatabase: (work) =>
      withClient({ host: join(runDir, "pg"), port: 5432, user: "postgres", database: "orrery" }, async (client) => {
        await client.query("set search_path = orrery");
        return work(client);
      }),
    token: async (tenant, scopes = ["operate"]) =>
      issueToken(await openApiKey(dataDir, false), {
        ...{ subject: "omar@hq.example", tenant, scopes },
        ...{ nowSeconds: Math.floor(Date.now() / 1000), ttlSeconds: 300 },
      }),
    [Symbol.dispose]: () => {
      rmSync(root, { recursive: true, force: true });
      rmSync(runDir, { recursive: true, force: true });
    },
  };
}

/** An event of the child, or what it says of itself. */
export type ChildLine = Readonly<Record<string, unknown>> & { readonly kind: string };

const lineMs = 60_000;

/** The daemon as a child process that tells its events; see daemon-child.ts. */
export class DaemonChild {
  readonly lines: ChildLine[] = [];
  readonly #child: ChildProcess;
  readonly #listeners = new Set<() => void>();
  readonly #ended: Promise<void>;
  #rest = "";
  #errors = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once("exit", () => resolve()));
    child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#take(text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => void (this.#errors += text));
    child.once("exit", () => this.#tell());
  }

  /** Resolves when it is up and has looked at the repository. */
  static async start({ config }: DaemonPlace, point = ""): Promise<DaemonChild> {
    const script = fileURLToPath(new URL("./daemon-child.ts", import.meta.url));
    const args = ["--import", "tsx", script, JSON.stringify(config), point];
    const daemon = new DaemonChild(spawn(process.execPath, args, { stdio: ["pipe", "pipe", "pipe"] }));
    await daemon.line(({ kind }) => kind === "up");
    await daemon.line(({ kind }) => kind === "pass");
    return daemon;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get url(): string {
    return String(this.lines.find(({ kind }) => kind === "up")?.["url"]);
  }

  /** From now on the point of its start is a trap. */
  arm(): void {
    this.#child.stdin?.write("arm\n");
  }

  line(matches: (line: ChildLine) => boolean): Promise<ChildLine> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.lines.find(matches);
        if (found !== undefined) resolve(found);
        else if (this.#child.exitCode !== null || this.#child.signalCode !== null)
          reject(new Error(`the daemon ended: ${this.#errors}\n${JSON.stringify(this.lines.slice(-5))}`));
        else return;
        clearTimeout(late);
        this.#listeners.delete(look);
      };
      const late = setTimeout(() => {
        this.#listeners.delete(look);
        reject(new Error(`the daemon did not say that in time: ${JSON.stringify(this.lines.slice(-5))}`));
      }, lineMs);
      this.#listeners.add(look);
      look();
    });
  }

  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    this.#child.kill(signal);
    await this.#ended;
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.lines.push(JSON.parse(line) as ChildLine);
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Every process whose command line or environment names `path`. */
export function processesNaming(path: string): readonly number[] {
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  return pids.filter(
    (pid) => pid !== process.pid && ["cmdline", "environ"].some((file) => procText(pid, file).includes(path)),
  );
}

function procText(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${String(pid)}/${file}`, "utf8");
  } catch {
    return "";
  }
}
