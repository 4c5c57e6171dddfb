import { createSecretGuard, type SecretGuard, secretLeaked } from "../secret/index.ts";
import {
  type ChunkFrame,
  type DownFrame,
  type MoreFrame,
  maxChunkBytes,
  maxInlineChars,
  type ReadFrame,
  type StepFrame,
  type UpFrame,
  type WriteFrame,
} from "./control-frame.ts";
import { chunkBytes, FrameViolation } from "./frame-reader.ts";
import { logLine } from "./log-line.ts";
import { StepCalls } from "./step-calls.ts";
import { claimedFailure, shown, stepFailure } from "./step-failure.ts";
import type { StepLogLine, StepPorts, StepRequest, StepResult } from "./step-request.ts";

/** Where an attempt ends: its result and whether the host may take another. */
export interface AttemptEnd {
  readonly result: StepResult;
  readonly clean: boolean;
}

export interface AttemptParts {
  readonly id: string;
  readonly request: StepRequest;
  readonly ports: StepPorts;
  readonly send: (frame: DownFrame) => void;
  /** CPU of the attempt so far, ms. */
  readonly cpuMs: () => number;
}

const maxLogBytes = 2 * 1024 * 1024;
const logLineOverhead = 64;
const maxCalls = 100_000;
const keptOutputBytes = 64 * 1024;
const maxOutputBytes = 1024 * 1024;

/** One attempt in its host: what the host says goes in by `frame` and `printed`, its end comes out of `ended`. */
export class Attempt {
  readonly id: string;
  readonly ended: Promise<AttemptEnd>;
  readonly #parts: AttemptParts;
  readonly #guard: SecretGuard;
  readonly #calls: StepCalls;
  readonly #output: Uint8Array[] = [];
  readonly #printed: Buffer[] = [];
  #finish: (end: AttemptEnd) => void = () => undefined;
  #outputBytes = 0;
  #printedBytes = 0;
  #logBytes = 0;
  #callCount = 0;
  #isOver = false;

  constructor(parts: AttemptParts) {
    this.id = parts.id;
    this.#parts = parts;
    this.#guard = createSecretGuard(parts.request.secrets);
    this.#calls = new StepCalls(parts, this.#guard, (fault) => this.#leaked(fault.message));
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  begin(): void {
    const { id, request, send } = this.#parts;
    for (const frame of stepFrames(id, request)) send(frame);
  }

  /** A host's word; throws FrameViolation where this attempt cannot have asked for it. */
  frame(frame: UpFrame): void {
    if (!this.#isMine(frame)) throw new FrameViolation("a frame of no step that runs");
    switch (frame.t) {
      case "log":
        this.#log(frame.message.length + frame.fields.length, () => this.#say(logLine(frame)));
        return;
      case "read":
      case "write":
      case "more":
      case "chunk":
        this.#call(frame);
        return;
      case "output":
        this.#outputEnd(frame.text, frame.clean);
        return;
      case "failed":
        this.end(claimedFailure(frame), frame.clean && frame.code === "STEP_FAILED");
        return;
      case "ready":
      case "bound":
        throw new FrameViolation(`${frame.t} in the middle of a step`);
    }
  }

  #isMine(frame: UpFrame): boolean {
    return !this.#isOver && "id" in frame && frame.id === this.id;
  }

  /** What the host writes on stdout and stderr: the first part is kept, a flood ends it. */
  printed(data: Buffer): void {
    if (this.#isOver) return;
    if (this.#printedBytes < keptOutputBytes)
      this.#printed.push(data.subarray(0, keptOutputBytes - this.#printedBytes));
    this.#printedBytes += data.length;
    if (this.#printedBytes > maxOutputBytes) this.end(stepFailure("STEP_FLOOD", "more than 1 MiB on stdout"), false);
  }

  /** The first end counts. */
  end(result: StepResult, clean: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tellPrinted();
    const said =
      result.kind === "failed"
        ? { ...result, message: this.#guard.redact(result.message), cpuMs: this.#parts.cpuMs() }
        : result;
    this.#finish({ result: said, clean });
  }

  #say({ level, message, fields }: StepLogLine): void {
    this.#parts.ports.log({ level, message: this.#guard.redact(message), fields: this.#guard.redact(fields) });
  }

  /** The step gave a secret away, and may be about to give it away again: its host dies. */
  #leaked(message: string): void {
    this.end(stepFailure("SECRET_LEAKED", message), false);
  }

  /** Resolves when no port is in use any more. */
  close(): Promise<void> {
    return this.#calls.close();
  }

  #log(bytes: number, write: () => void): void {
    this.#logBytes += bytes + logLineOverhead;
    if (this.#logBytes > maxLogBytes) this.end(stepFailure("STEP_FLOOD", "more than 1 MiB of log lines"), false);
    else write();
  }

  #call(frame: ReadFrame | WriteFrame | MoreFrame | ChunkFrame): void {
    if (frame.t === "chunk" && frame.stream === "output") this.#outputChunk(frame);
    else if (frame.t === "chunk") this.#calls.chunk(Number(frame.stream.slice(1)), frame);
    else if (frame.t === "more") this.#calls.more(frame.call);
    else {
      if (++this.#callCount > maxCalls) throw new FrameViolation("too many calls");
      if (frame.t === "read") this.#calls.read(frame);
      else this.#calls.write(frame);
    }
  }

  #outputChunk(frame: ChunkFrame): void {
    if (frame.n !== this.#output.length) throw new FrameViolation("a chunk out of order");
    const bytes = chunkBytes(frame.data);
    // No cap in bytes would ever stop a stream of empty pieces.
    if (bytes.length === 0) throw new FrameViolation("an empty chunk");
    this.#output.push(bytes);
    this.#outputBytes += bytes.length;
    if (this.#outputBytes > this.#parts.request.limits.outputBytes) this.#tooLarge();
  }

  #outputEnd(inline: string | null, clean: boolean): void {
    const text = inline ?? Buffer.concat(this.#output).toString("utf8");
    if (Buffer.byteLength(text) > this.#parts.request.limits.outputBytes) {
      this.#tooLarge();
      return;
    }
    // Of canonical text alone: what hides a value behind another spelling of JSON is refused for that by the worker.
    const leaked = this.#guard.findIn(text);
    if (leaked !== null) this.#leaked(secretLeaked(leaked, "the output").message);
    else this.end({ kind: "output", text, cpuMs: this.#parts.cpuMs() }, clean);
  }

  #tooLarge(): void {
    const { outputBytes } = this.#parts.request.limits;
    this.end(stepFailure("STEP_OUTPUT_TOO_LARGE", `the output is over ${outputBytes} bytes`), false);
  }

  #tellPrinted(): void {
    // Before it is cut into lines: a value that lies across a cut would stay in two halves.
    const text = this.#guard.redact(shown(Buffer.concat(this.#printed).toString("utf8")).trimEnd());
    if (text === "") return;
    for (const message of text.match(/[^\n]{1,8000}/g) ?? [])
      this.#parts.ports.log({ level: "info", message, fields: '{"stream":"stdout"}' });
  }
}

/** The request as frames: what does not fit inline follows as chunks. */
function* stepFrames(id: string, request: StepRequest): Generator<DownFrame> {
  const filesText = JSON.stringify(request.files);
  const inline = (text: string): string | null => (text.length <= maxInlineChars ? text : null);
  const frame: StepFrame = {
    t: "step",
    id,
    facts: factsOf(request),
    limits: { timeoutMs: request.limits.timeoutMs, outputBytes: request.limits.outputBytes },
    withText: inline(request.withText),
    filesText: inline(filesText),
    code: request.code === null ? null : { text: inline(request.code) },
    secrets: Object.keys(request.secrets).length > 0,
  };
  yield frame;
  if (frame.withText === null) yield* chunkFrames(id, "with", Buffer.from(request.withText));
  if (frame.filesText === null) yield* chunkFrames(id, "files", Buffer.from(filesText));
  if (frame.code?.text === null) yield* chunkFrames(id, "code", Buffer.from(request.code ?? ""));
  if (frame.secrets) yield* chunkFrames(id, "secrets", Buffer.from(JSON.stringify(request.secrets)));
}

function factsOf(request: StepRequest): StepFrame["facts"] {
  const { tenant, dagId, runId, stepId, index, attempt, idempotencyKey, traceparent, now, seed } = request;
  const network = request.network.length > 0;
  return { tenant, dagId, runId, stepId, index, attempt, idempotencyKey, traceparent, now, seed, network };
}

export function* chunkFrames(
  id: string,
  stream: "plugin" | "with" | "files" | "code" | "secrets",
  bytes: Uint8Array,
): Generator<ChunkFrame> {
  for (let at = 0, n = 0; n === 0 || at < bytes.length; at += maxChunkBytes, n++) {
    const data = Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(maxChunkBytes, bytes.length - at)).toString(
      "base64",
    );
    yield { t: "chunk", id, stream, n, data, last: at + maxChunkBytes >= bytes.length };
  }
}
