import type { ChunkFrame } from "../control-frame.ts";

/** Gathers the chunks of one value. */
export class FrameStream {
  readonly #parts: Buffer[] = [];

  /** True when the value is whole. */
  add(frame: ChunkFrame): boolean {
    this.#parts.push(Buffer.from(frame.data, "base64"));
    return frame.last;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
