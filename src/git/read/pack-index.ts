import { Fault } from "../../base/index.ts";
import { readRegularFile } from "./regular-file.ts";

const magic = 0xff744f63;
const fanoutAt = 8;
const namesAt = fanoutAt + 256 * 4;
const oidBytes = 20;
const trailerBytes = 2 * oidBytes;
const maxIndexBytes = 512 * 2 ** 20;

const corrupt = (why: string): Fault => new Fault("REPO_CORRUPT", `bad pack index: ${why}`);

/** An .idx file, version 2, searched in place: 10 million objects must not become 10 million JS objects. */
export class PackIndex {
  readonly #bytes: Buffer;
  readonly count: number;
  readonly #largeCount: number;

  constructor(bytes: Buffer) {
    if (bytes.length < namesAt + trailerBytes) throw corrupt("too short");
    if (bytes.readUInt32BE(0) !== magic || bytes.readUInt32BE(4) !== 2) {
      throw new Fault("REPO_UNSUPPORTED", "pack index version 1 is not read; run git repack -a -d");
    }
    this.#bytes = bytes;
    this.count = bytes.readUInt32BE(namesAt - 4);
    const largeBytes = bytes.length - namesAt - this.count * (oidBytes + 8) - trailerBytes;
    if (largeBytes < 0 || largeBytes % 8 !== 0) throw corrupt("length differs from its count");
    this.#largeCount = largeBytes / 8;
    for (let i = 1; i < 256; i++) {
      if (this.#fanout(i) < this.#fanout(i - 1)) throw corrupt("fan-out decreases");
    }
  }

  /** The index at `path`, or null when it vanished. */
  static open(path: string): PackIndex | null {
    const bytes = readRegularFile(path, maxIndexBytes, "a pack index");
    return bytes === null ? null : new PackIndex(bytes);
  }

  /** The checksum of the pack that this index was made from. */
  get packChecksum(): Buffer {
    return this.#bytes.subarray(this.#bytes.length - trailerBytes, this.#bytes.length - oidBytes);
  }

  /** Where the object begins in the pack, or null. `oid` is its 20 bytes. */
  offsetOf(oid: Buffer): number | null {
    const first = oid[0] ?? 0;
    let low = first === 0 ? 0 : this.#fanout(first - 1);
    let high = this.#fanout(first);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = namesAt + middle * oidBytes;
      const order = this.#bytes.compare(oid, 0, oidBytes, at, at + oidBytes);
      if (order === 0) return this.#offsetAt(middle);
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return null;
  }

  #fanout(byte: number): number {
    return this.#bytes.readUInt32BE(fanoutAt + byte * 4);
  }

  #offsetAt(position: number): number {
    const offsetsAt = namesAt + this.count * (oidBytes + 4);
    const offset = this.#bytes.readUInt32BE(offsetsAt + position * 4);
    if (offset < 0x80000000) return offset;
    const large = offset - 0x80000000;
    if (large >= this.#largeCount) throw corrupt("offset out of range");
    return Number(this.#bytes.readBigUInt64BE(offsetsAt + this.count * 4 + large * 8));
  }
}
