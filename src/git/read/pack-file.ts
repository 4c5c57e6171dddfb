import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { Fault } from "../../base/index.ts";
import type { ObjectType } from "../format/object.ts";
import { deflatedBound, inflateExactly } from "./inflate.ts";
import type { PackIndex } from "./pack-index.ts";
import { isAbsent, readFully, unreadable } from "./regular-file.ts";

/** One object as it lies in the pack: whole (`type`) or a delta against the object at `base`. */
export interface PackEntry {
  readonly offset: number;
  readonly type: ObjectType | null;
  readonly base: number | null;
  /** Inflated bytes of the object, or of the delta. */
  readonly size: number;
  readonly window: Buffer;
  readonly dataAt: number;
}

const windowBytes = 4096;
const headerBytes = 12;
const trailerBytes = 20;
const ofsDelta = 6;
const refDelta = 7;
const types: readonly (ObjectType | null)[] = [null, "commit", "tree", "blob", "tag"];

const corrupt = (why: string): Fault => new Fault("REPO_CORRUPT", `bad pack: ${why}`);

/** Positioned reads in one pack. Holds the descriptor, so that a repack which unlinks the file cannot take it away. */
export class PackFile {
  readonly #fd: number;
  readonly #index: PackIndex;
  /** Where the data ends and the checksum begins. */
  readonly #end: number;

  private constructor(fd: number, index: PackIndex) {
    this.#fd = fd;
    this.#index = index;
    const stat = fstatSync(fd);
    this.#end = stat.size - trailerBytes;
    if (!stat.isFile() || this.#end < headerBytes) throw corrupt("too short");
    const header = this.#read(0, headerBytes);
    if (header.toString("latin1", 0, 4) !== "PACK" || ![2, 3].includes(header.readUInt32BE(4))) throw corrupt("header");
    const trailer = readFully(fd, Buffer.allocUnsafe(trailerBytes), this.#end);
    if (header.readUInt32BE(8) !== index.count || !trailer.equals(index.packChecksum)) {
      throw corrupt("index of another pack");
    }
  }

  /** Opens the pack, or null when it vanished. */
  static open(path: string, index: PackIndex): PackFile | null {
    let fd: number;
    try {
      fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (isAbsent(error)) return null;
      throw unreadable("a pack", error);
    }
    try {
      return new PackFile(fd, index);
    } catch (error) {
      closeSync(fd);
      throw unreadable("a pack", error);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** The header of the object at `offset`; nothing is inflated yet. */
  entryAt(offset: number): PackEntry {
    if (offset < headerBytes || offset >= this.#end) throw corrupt("offset out of range");
    const window = this.#read(offset, windowBytes);
    let at = 0;
    const next = (): number => {
      const byte = window[at++];
      if (byte === undefined || at > 40) throw corrupt("object header");
      return byte;
    };
    let byte = next();
    const code = (byte >> 4) & 7;
    let size = byte & 15;
    // In floats: shifts wrap at 32 bits and would turn a huge size into a small one.
    for (let scale = 16; byte >= 128; scale *= 128) {
      byte = next();
      size += (byte & 127) * scale;
    }
    if (!Number.isSafeInteger(size)) throw corrupt("object size");
    if (code === ofsDelta) return { offset, type: null, base: offset - distance(next), size, window, dataAt: at };
    if (code === refDelta) {
      if (at + 20 > window.length) throw corrupt("cut off");
      const base = this.#index.offsetOf(window.subarray(at, at + 20));
      // A pack in place is self-contained; a base elsewhere would let chains run from pack to pack.
      if (base === null) throw corrupt("missing delta base");
      return { offset, type: null, base, size, window, dataAt: at + 20 };
    }
    const type = types[code] ?? null;
    if (type === null) throw corrupt("unknown object type");
    return { offset, type, base: null, size, window, dataAt: at };
  }

  /** The bytes behind a header. The caller has compared `entry.size` with its cap. */
  inflate(entry: PackEntry): Buffer {
    const rest = entry.window.subarray(entry.dataAt);
    const likelyWhole = entry.size <= 3 * windowBytes || entry.window.length < windowBytes;
    const body = likelyWhole ? inflateExactly(rest, entry.size) : null;
    if (body !== null) return body;
    for (const bytes of [deflatedBound(entry.size), 4 * deflatedBound(entry.size) + 65_536]) {
      const whole = inflateExactly(this.#read(entry.offset + entry.dataAt, bytes), entry.size);
      if (whole !== null) return whole;
    }
    throw corrupt("object is cut off");
  }

  #read(position: number, bytes: number): Buffer {
    const wanted = Math.max(0, Math.min(bytes, this.#end - position));
    const got = readFully(this.#fd, Buffer.allocUnsafe(wanted), position);
    if (got.length < wanted) throw corrupt("cut off");
    return got;
  }
}

/** How far back the base of an offset delta lies. */
function distance(next: () => number): number {
  let byte = next();
  let back = byte & 127;
  while (byte >= 128) {
    byte = next();
    back = (back + 1) * 128 + (byte & 127);
  }
  if (back === 0 || !Number.isSafeInteger(back)) throw corrupt("delta offset");
  return back;
}
