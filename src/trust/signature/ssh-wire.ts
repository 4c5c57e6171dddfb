import { bytesOfText } from "../../base/index.ts";

/** Thrown inside this room alone; each parser turns it into its own answer. */
export class WireDefect extends Error {}

/** Reads the data types of RFC 4251 section 5; every length is checked against what is there. */
export class WireReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  uint32(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.raw(4);
    return a * 0x1000000 + (b << 16) + (c << 8) + d;
  }

  raw(length: number): Uint8Array {
    if (length > this.left) throw new WireDefect("it ends too early");
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }

  string(): Uint8Array {
    return this.raw(this.uint32());
  }

  /** A string of printable ASCII: names of keys, ciphers, hashes, namespaces. */
  name(): string {
    const bytes = this.string();
    if (bytes.length > 256) throw new WireDefect("a name in it is too long");
    const text = String.fromCharCode(...bytes);
    if (!/^[\x21-\x7e]*$/.test(text)) throw new WireDefect("a name in it is not printable ASCII");
    return text;
  }

  byte(): number {
    const [value = 0] = this.raw(1);
    return value;
  }

  /** A positive number (RFC 4251), big-endian without leading zero bytes; refused where it is not written so. */
  mpint(): Uint8Array {
    const bytes = this.string();
    const [first = 0, second = 0] = bytes;
    if (bytes.length === 0 || first >= 0x80) throw new WireDefect("a number in it is not positive");
    if (first !== 0) return bytes;
    if (second < 0x80) throw new WireDefect("a number in it has needless zeros");
    return bytes.subarray(1);
  }

  end(): void {
    if (this.left !== 0) throw new WireDefect(`${this.left} bytes too many at its end`);
  }
}

export function joinBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export function wireUint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

export function wireString(content: Uint8Array | string): Uint8Array {
  const bytes = typeof content === "string" ? bytesOfText(content) : content;
  return joinBytes(wireUint32(bytes.length), bytes);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The value of a parser of hostile bytes: a WireDefect becomes its reason, anything else is our own bug. */
export function parsed<T>(parse: () => T): Parsed<T> {
  try {
    return { ok: true, value: parse() };
  } catch (error) {
    if (error instanceof WireDefect) return { ok: false, reason: error.message };
    throw error;
  }
}

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };
