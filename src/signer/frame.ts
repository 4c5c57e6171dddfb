/** Base64 in JSON of the largest request, and room for the objects that the signer adds. */
const maxFrameBytes = 64 * 1024 * 1024;

/** One message on the pipe: length (u32, big endian), then that many bytes of JSON. */
export function encodeFrame(message: object): Buffer {
  const body = Buffer.from(JSON.stringify(message), "utf8");
  if (body.length > maxFrameBytes) throw new RangeError("frame too long");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** Cuts a byte stream into messages. Throws RangeError or SyntaxError: the stream is then of no more use. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Of the frame that is coming, with its length; 4 until that is known. */
  #wanted = 4;

  /** The messages that `chunk` completes. */
  push(chunk: Buffer): readonly unknown[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const messages: unknown[] = [];
    while (this.#bytes >= this.#wanted) {
      const all = Buffer.concat(this.#chunks);
      const length = all.readUInt32BE(0);
      // Before any of it is kept: a length of 4 GiB must not be waited for.
      if (length > maxFrameBytes) throw new RangeError("frame too long");
      this.#wanted = 4 + length;
      this.#chunks = [all];
      if (all.length < this.#wanted) break;
      messages.push(JSON.parse(all.toString("utf8", 4, this.#wanted)));
      this.#chunks = [all.subarray(this.#wanted)];
      this.#bytes = all.length - this.#wanted;
      this.#wanted = 4;
    }
    return messages;
  }
}
