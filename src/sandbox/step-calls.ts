import { Fault } from "../base/index.ts";
import { type SecretGuard, secretLeaked } from "../secret/index.ts";
import { type ChunkFrame, type DownFrame, maxChunkBytes, type ReadFrame, type WriteFrame } from "./control-frame.ts";
import { chunkBytes, FrameViolation } from "./frame-reader.ts";
import { shown } from "./step-failure.ts";
import type { StepPorts, StepRequest } from "./step-request.ts";

interface Reading {
  readonly kind: "read";
  readonly chunks: AsyncIterator<Uint8Array, undefined>;
  n: number;
  waiting: boolean;
}

interface Writing {
  readonly kind: "write";
  readonly queue: ChunkQueue;
  n: number;
  waiting: boolean;
}

const maxOpenCalls = 64;

/**
 * The files and artifacts of one attempt, asked for by its host. What the request does not name is refused here, before
 * a port is asked. One chunk of a call is in flight at a time: a host that sends another unasked is killed.
 */
export class StepCalls {
  readonly #request: StepRequest;
  readonly #ports: StepPorts;
  readonly #send: (frame: DownFrame) => void;
  readonly #id: string;
  readonly #guard: SecretGuard;
  readonly #leaked: (fault: Fault) => void;
  readonly #open = new Map<number, Reading | Writing>();
  readonly #running = new Set<Promise<void>>();

  /** `leaked`: an artifact held a value of `guard`; nothing of it was kept. */
  constructor(
    parts: { request: StepRequest; ports: StepPorts; id: string; send: (frame: DownFrame) => void },
    guard: SecretGuard,
    leaked: (fault: Fault) => void,
  ) {
    this.#guard = guard;
    this.#leaked = leaked;
    this.#request = parts.request;
    this.#ports = parts.ports;
    this.#send = parts.send;
    this.#id = parts.id;
  }

  read(frame: ReadFrame): void {
    this.#claim(frame.call);
    if (!this.#granted(frame)) {
      this.#refuse(frame.call, "SANDBOX_DENIED", `${frame.kind} ${frame.key} is not declared by the step`);
      return;
    }
    const source = frame.kind === "file" ? this.#ports.readFile(frame.key) : this.#ports.readArtifact(frame.key);
    const reading: Reading = { kind: "read", chunks: pieces(source)[Symbol.asyncIterator](), n: 0, waiting: false };
    this.#open.set(frame.call, reading);
    this.#task(frame.call, this.#next(frame.call, reading));
  }

  more(call: number): void {
    const reading = this.#open.get(call);
    if (reading?.kind !== "read" || !reading.waiting) throw new FrameViolation("more of a call that waits for nothing");
    this.#task(call, this.#next(call, reading));
  }

  write(frame: WriteFrame): void {
    this.#claim(frame.call);
    const { call } = frame;
    const writing: Writing = { kind: "write", queue: new ChunkQueue(() => this.#wantMore(call)), n: 0, waiting: false };
    this.#open.set(call, writing);
    this.#task(call, this.#store(call, writing, frame.mediaType));
  }

  chunk(call: number, frame: ChunkFrame): void {
    const writing = this.#open.get(call);
    if (writing?.kind !== "write" || !writing.waiting || frame.n !== writing.n)
      throw new FrameViolation("a chunk that nobody asked for");
    writing.n++;
    writing.waiting = false;
    writing.queue.put(chunkBytes(frame.data), frame.last);
  }

  /** The attempt is over: whatever is open ends with an error in the ports; resolves when no port is in use. */
  async close(): Promise<void> {
    for (const call of this.#open.values()) {
      if (call.kind === "write")
        call.queue.fail(new Fault("SANDBOX_LOST", "the step ended in the middle of an artifact"));
      else call.chunks.return?.().catch(() => undefined);
    }
    this.#open.clear();
    await Promise.allSettled(this.#running);
  }

  #claim(call: number): void {
    if (this.#open.has(call) || this.#open.size >= maxOpenCalls) throw new FrameViolation("too many open calls");
  }

  #granted({ kind, key }: ReadFrame): boolean {
    if (kind === "file") return this.#request.files.some((file) => file.path === key);
    return this.#request.readable.includes(key);
  }

  #wantMore(call: number): void {
    const writing = this.#open.get(call);
    if (writing?.kind !== "write") return;
    writing.waiting = true;
    this.#send({ t: "more", id: this.#id, call });
  }

  async #next(call: number, reading: Reading): Promise<void> {
    reading.waiting = false;
    const next: IteratorResult<Uint8Array, undefined> = await reading.chunks.next();
    if (!this.#open.has(call)) return;
    if (next.done === true) this.#open.delete(call);
    reading.waiting = true;
    const data = next.done === true ? "" : base64Of(next.value);
    this.#send({ t: "chunk", id: this.#id, stream: `c${call}`, n: reading.n++, data, last: next.done === true });
  }

  async #store(call: number, writing: Writing, mediaType: string): Promise<void> {
    const named = this.#guard.findIn(mediaType);
    if (named !== null) throw secretLeaked(named, "a media type");
    const artifact = await this.#ports.writeArtifact(this.#guard.watch(writing.queue), mediaType);
    if (!this.#open.delete(call)) return;
    this.#send({ t: "answer", id: this.#id, call, artifact, error: null });
  }

  #task(call: number, task: Promise<void>): void {
    const running = task
      .catch((error: unknown) => {
        const fault = error instanceof Fault ? error : new Fault("ARTIFACT_MISSING", "the store failed");
        if (fault.code === "SECRET_LEAKED") this.#leaked(fault);
        if (this.#open.delete(call)) this.#refuse(call, fault.code, fault.message);
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  #refuse(call: number, code: string, message: string): void {
    this.#send({
      t: "answer",
      id: this.#id,
      call,
      artifact: null,
      error: { code, message: shown(message).slice(0, 4000) },
    });
  }
}

const base64Of = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");

async function* pieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, undefined> {
  for await (const chunk of source)
    for (let at = 0; at < chunk.length; at += maxChunkBytes) yield chunk.subarray(at, at + maxChunkBytes);
}

/** The bytes of an artifact on their way to the store; asks for the next piece only when the store wants it. */
class ChunkQueue implements AsyncIterable<Uint8Array> {
  readonly #want: () => void;
  #arrive: ((piece: { bytes: Uint8Array; last: boolean }) => void) | null = null;
  #failed: Error | null = null;
  #reject: ((error: Error) => void) | null = null;

  constructor(want: () => void) {
    this.#want = want;
  }

  put(bytes: Uint8Array, last: boolean): void {
    this.#arrive?.({ bytes, last });
  }

  fail(error: Error): void {
    this.#failed = error;
    this.#reject?.(error);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      if (this.#failed !== null) throw this.#failed;
      const piece = await new Promise<{ bytes: Uint8Array; last: boolean }>((resolve, reject) => {
        this.#arrive = resolve;
        this.#reject = reject;
        this.#want();
      });
      if (piece.bytes.length > 0) yield piece.bytes;
      if (piece.last) return;
    }
  }
}
