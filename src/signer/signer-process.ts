import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createRequire } from "node:module";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type CodeName, codeRow, Fault } from "../base/index.ts";
import { encodeFrame, FrameReader } from "./frame.ts";
import { decodeReply, type SignerCall, type SignerReply } from "./signer-verbs.ts";

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

interface Waiting {
  readonly resolve: (ok: unknown) => void;
  readonly reject: (fault: Fault) => void;
}

const keptComplaintChars = 4096;

/** One life of the signer's process: calls go in, each gets its reply or `SIGNER_LOST`. */
export class SignerProcess {
  readonly #child: Child;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  #complaint = "";
  #lost: Fault | null = null;
  #calls = 0;

  constructor() {
    this.#child = spawnSigner();
    const frames = new FrameReader();
    this.#child.stdout.on("data", (chunk: Buffer) => {
      try {
        for (const message of frames.push(chunk)) this.#settle(decodeReply(message));
      } catch (error) {
        this.#lose("its answer does not decode", error);
      }
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-keptComplaintChars);
    });
    // A broken pipe is told by the end of the process.
    this.#child.stdin.on("error", () => undefined);
    this.#ended = new Promise((resolve) => {
      this.#child.on("error", (error) => {
        this.#lose("it does not start", error);
        resolve();
      });
      this.#child.on("close", (code, signal) => {
        this.#lose(`its process ended (${signal ?? String(code)})`, this.#complaint);
        resolve();
      });
    });
  }

  /** False once the process has ended or talked nonsense: make another. */
  get alive(): boolean {
    return this.#lost === null;
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** Rejects with the signer's own fault, or `SIGNER_LOST`. */
  call(verb: SignerCall["verb"], body: unknown): Promise<unknown> {
    if (this.#lost !== null) return Promise.reject(this.#lost);
    const id = this.#calls++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.stdin.write(encodeFrame({ id, verb, body }));
    });
  }

  /** Lets it end the work at hand; resolves when the process is gone. */
  async end(): Promise<void> {
    this.#child.stdin.end();
    await this.#ended;
  }

  kill(reason: string): void {
    this.#lose(reason, null);
  }

  #settle(reply: SignerReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ("ok" in reply) {
      waiting?.resolve(reply.ok);
    } else if (reply.fault.code === "SIGNER_REFUSED") {
      waiting?.reject(faultOfReply(reply.fault, null));
    } else {
      // It ends after any other fault, and its complaint is whole only then.
      this.#child.once("close", () => waiting?.reject(faultOfReply(reply.fault, this.#complaint)));
    }
  }

  #lose(reason: string, cause: unknown): void {
    this.#lost ??= new Fault("SIGNER_LOST", `the signer is lost: ${reason}`, { cause });
    for (const { reject } of this.#waiting.values()) reject(this.#lost);
    this.#waiting.clear();
    this.#child.kill("SIGKILL");
  }
}

function faultOfReply({ code, message }: { readonly code: string; readonly message: string }, cause: unknown): Fault {
  return new Fault(codeRow(code) === null ? "INTERNAL" : (code as CodeName), message, { cause });
}

function spawnSigner(): Child {
  // From source (npm run dev, tests) the child needs the loader that we run under; the build has plain JavaScript.
  const fromSource = import.meta.url.endsWith(".ts");
  const entry = fileURLToPath(new URL(fromSource ? "./main.ts" : "./main.js", import.meta.url));
  const loader = fromSource ? ["--import", pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href] : [];
  return spawn(process.execPath, ["--enable-source-maps", ...loader, entry], {
    stdio: ["pipe", "pipe", "pipe"],
    cwd: "/",
    // No NODE_OPTIONS, no proxy, no HOME: what the daemon was started with must not reach the key.
    env: {},
  });
}
