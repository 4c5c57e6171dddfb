import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { MessagePort } from "node:worker_threads";
import type { AnswerFrame, ChunkFrame, MoreFrame, StepFrame, UpFrame } from "../control-frame.ts";
import type { DeclaredFile } from "../sdk.ts";
import { FrameStream } from "./frame-stream.ts";
import { failure } from "./step-error.ts";
import type { StepDown, StepEnvelope, StepError, StepTask, StepUp } from "./step-message.ts";
import { openPorts, type StepPool } from "./step-pool.ts";

const maxInlineChars = 256 * 1024;
const maxChunkBytes = 512 * 1024;
const maxLogChars = 1024 * 1024 + 64 * 1024;

interface Running {
  readonly id: string;
  readonly port: MessagePort;
  ended: { readonly text: string | null; readonly error: StepError | null } | null;
  logged: number;
  flood: (() => void) | null;
  readonly chunks: Map<number, number>;
}

/** A host after its binding: takes one step at a time and passes messages between its thread and the pipe. */
export class BoundHost {
  readonly #pool: StepPool;
  readonly #scratchDir: string;
  readonly #send: (frame: UpFrame) => void;
  #arriving: { readonly frame: StepFrame; readonly streams: Map<string, FrameStream>; open: number } | null = null;
  #running: Running | null = null;

  constructor(pool: StepPool, scratchDir: string, send: (frame: UpFrame) => void) {
    this.#pool = pool;
    this.#scratchDir = scratchDir;
    this.#send = send;
  }

  step(frame: StepFrame): void {
    const streamed = [frame.withText, frame.filesText, frame.code === null ? "" : frame.code.text];
    const open = streamed.filter((text) => text === null).length + (frame.secrets ? 1 : 0);
    this.#arriving = { frame, streams: new Map(), open };
    if (open === 0) this.#begin();
  }

  chunk(frame: ChunkFrame): void {
    const arriving = this.#arriving;
    if (!frame.stream.startsWith("c") || frame.stream === "code") {
      if (arriving === null) return;
      const stream = arriving.streams.get(frame.stream) ?? new FrameStream();
      arriving.streams.set(frame.stream, stream);
      if (stream.add(frame)) arriving.open--;
      if (arriving.open === 0) this.#begin();
      return;
    }
    const bytes = new Uint8Array(Buffer.from(frame.data, "base64"));
    this.#down(frame.id, { t: "chunk", call: Number(frame.stream.slice(1)), last: frame.last }, bytes);
  }

  more(frame: MoreFrame): void {
    this.#down(frame.id, { t: "more", call: frame.call }, null);
  }

  answer(frame: AnswerFrame): void {
    this.#down(frame.id, { t: "answer", call: frame.call, artifact: frame.artifact, error: frame.error }, null);
  }

  #down(id: string, message: StepDown, bytes: Uint8Array | null): void {
    if (this.#running?.id === id) this.#running.port.postMessage({ message, bytes } satisfies StepEnvelope<StepDown>);
  }

  #begin(): void {
    const arriving = this.#arriving;
    if (arriving === null) return;
    this.#arriving = null;
    const { frame, streams } = arriving;
    const textOf = (inline: string | null, name: string): string =>
      inline ?? streams.get(name)?.bytes().toString("utf8") ?? "";
    const task: StepTask = {
      facts: frame.facts,
      files: JSON.parse(textOf(frame.filesText, "files")) as DeclaredFile[],
      withText: textOf(frame.withText, "with"),
      code: frame.code === null ? null : textOf(frame.code.text, "code"),
      secrets: frame.secrets ? (JSON.parse(textOf(null, "secrets")) as Record<string, string>) : {},
      outputBytes: frame.limits.outputBytes,
    };
    this.#run(frame.id, task, frame.limits.timeoutMs).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : "the host failed";
      this.#send({ t: "failed", id: frame.id, code: "SANDBOX_LOST", transient: false, message, clean: false });
    });
  }

  async #run(id: string, task: StepTask, timeoutMs: number): Promise<void> {
    const { ours, theirs } = openPorts(({ message, bytes }) => this.#up(message, bytes));
    const closed = new Promise<void>((resolve) => ours.once("close", () => resolve()));
    const running: Running = { id, port: ours, ended: null, logged: 0, flood: null, chunks: new Map() };
    this.#running = running;
    const flooded = new Promise<StepError>((resolve) => {
      running.flood = () => resolve(failure("STEP_FLOOD", "more than 1 MiB of log lines", false));
    });
    // The plugin hears of its end a little before it comes.
    const warning = setTimeout(
      () => this.#down(id, { t: "abort" }, null),
      Math.max(1, timeoutMs - Math.min(1000, timeoutMs / 10)),
    );
    const loss = await Promise.race([this.#pool.run(task, timeoutMs, theirs), flooded]);
    clearTimeout(warning);
    // What the thread posted before it ended is read first: the port closes behind it.
    if (loss === null) await closed;
    this.#running = null;
    ours.close();
    this.#end(id, loss, running.ended);
  }

  #end(id: string, loss: StepError | null, ended: Running["ended"]): void {
    const clean = this.#emptyScratch() && loss === null;
    const silent = failure("STEP_EXIT", "the step ended without a result", false);
    const error = loss ?? (ended === null ? silent : ended.error);
    if (error !== null) {
      const code = typeof error.code === "string" ? error.code : "STEP_FAILED";
      const message = typeof error.message === "string" ? error.message.slice(0, 4000) : "";
      this.#send({ t: "failed", id, code, transient: error.transient, message, clean });
      return;
    }
    const text = ended?.text ?? "";
    if (text.length <= maxInlineChars) this.#send({ t: "output", id, text, clean });
    else {
      this.#sendOutput(id, Buffer.from(text));
      this.#send({ t: "output", id, text: null, clean });
    }
  }

  #sendOutput(id: string, bytes: Buffer): void {
    for (let at = 0, n = 0; at < bytes.length; at += maxChunkBytes, n++) {
      const data = bytes.subarray(at, at + maxChunkBytes).toString("base64");
      this.#send({ t: "chunk", id, stream: "output", n, data, last: at + maxChunkBytes >= bytes.length });
    }
  }

  #up(message: StepUp, bytes: Uint8Array | null): void {
    const running = this.#running;
    if (running === null) return;
    const { id } = running;
    if (message.t === "end") running.ended ??= message;
    else if (message.t === "log") this.#log(running, message);
    else if (message.t === "read")
      this.#send({ t: "read", id, call: message.call, kind: message.kind, key: message.key });
    else if (message.t === "write") this.#send({ t: "write", id, call: message.call, mediaType: message.mediaType });
    else if (message.t === "more") this.#send({ t: "more", id, call: message.call });
    else {
      const n = running.chunks.get(message.call) ?? 0;
      running.chunks.set(message.call, n + 1);
      const data = Buffer.from(bytes ?? new Uint8Array(0)).toString("base64");
      this.#send({ t: "chunk", id, stream: `c${message.call}`, n, data, last: message.last });
    }
  }

  #log(running: Running, message: Extract<StepUp, { t: "log" }>): void {
    running.logged += message.message.length + message.fields.length;
    if (running.logged > maxLogChars) running.flood?.();
    else {
      const level = message.level as "info";
      this.#send({ t: "log", id: running.id, level, message: message.message, fields: message.fields });
    }
  }

  #emptyScratch(): boolean {
    try {
      for (const name of readdirSync(this.#scratchDir))
        rmSync(join(this.#scratchDir, name), { recursive: true, force: true });
      return readdirSync(this.#scratchDir).length === 0;
    } catch {
      return false;
    }
  }
}
