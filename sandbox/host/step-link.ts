import type { ArtifactReference } from "../sdk.ts";
import { stepError } from "./step-error.ts";
import type { StepDown, StepUp } from "./step-message.ts";

type Delivery = { readonly message: StepDown; readonly bytes: Uint8Array | null };

const maxChunkBytes = 512 * 1024;

/**
 * The step's side of its calls. Runs inside a realm as well as in a host's thread, so it imports nothing of Node.
 * One chunk of a call is in flight at a time: nobody on the way holds a whole file.
 */
export class StepLink {
  readonly #send: (message: StepUp, bytes: Uint8Array | null) => void;
  readonly #waiting = new Map<number, (delivery: Delivery) => void>();
  #calls = 0;

  constructor(send: (message: StepUp, bytes: Uint8Array | null) => void) {
    this.#send = send;
  }

  /** Hands in what came for this step; answers to calls that nobody waits for are dropped. */
  deliver(message: StepDown, bytes: Uint8Array | null): void {
    if (message.t === "abort") return;
    const resolve = this.#waiting.get(message.call);
    this.#waiting.delete(message.call);
    resolve?.({ message, bytes });
  }

  log(level: string, message: string, fields: string): void {
    this.#send({ t: "log", level, message, fields }, null);
  }

  async *read(kind: "file" | "artifact", key: string): AsyncGenerator<Uint8Array, void> {
    const call = ++this.#calls;
    let request: StepUp = { t: "read", call, kind, key };
    for (;;) {
      const { message, bytes } = await this.#ask(call, request, null);
      if (message.t !== "chunk") throw failureOf(message);
      if (bytes !== null && bytes.length > 0) yield bytes;
      if (message.last) return;
      request = { t: "more", call };
    }
  }

  async write(chunks: AsyncIterable<Uint8Array>, mediaType: string): Promise<ArtifactReference> {
    const call = ++this.#calls;
    let reply = await this.#ask(call, { t: "write", call, mediaType }, null);
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += maxChunkBytes) {
        if (reply.message.t !== "more") throw failureOf(reply.message);
        // A copy: the plugin may write into its buffer while this is on its way.
        reply = await this.#ask(call, { t: "chunk", call, last: false }, chunk.slice(at, at + maxChunkBytes));
      }
    }
    if (reply.message.t !== "more") throw failureOf(reply.message);
    const { message } = await this.#ask(call, { t: "chunk", call, last: true }, null);
    if (message.t === "answer" && message.artifact !== null) return message.artifact;
    throw failureOf(message);
  }

  #ask(call: number, message: StepUp, bytes: Uint8Array | null): Promise<Delivery> {
    return new Promise((resolve) => {
      this.#waiting.set(call, resolve);
      this.#send(message, bytes);
    });
  }
}

function failureOf(message: StepDown): Error {
  if (message.t === "answer" && message.error !== null) return stepError(message.error.code, message.error.message);
  return stepError("SANDBOX_PROTOCOL", "unexpected answer");
}
