import { type HostCall, numberOf } from "./host-call.ts";

export interface Encoding {
  readonly globals: Record<string, unknown>;
  readonly encode: (text: string) => Uint8Array;
}

/** TextEncoder, TextDecoder (UTF-8 alone), atob, btoa. */
export function encodingOf(host: HostCall): Encoding {
  const encode = (text: string): Uint8Array => {
    const bytes = new Uint8Array(numberOf(host("utf8Length", text)));
    host("utf8Write", text, bytes);
    return bytes;
  };
  return {
    encode,
    globals: { TextEncoder: encoderClass(encode), TextDecoder: decoderClass(host), atob, btoa },
  };
}

function encoderClass(encode: (text: string) => Uint8Array): unknown {
  return class TextEncoder {
    readonly encoding = "utf-8";
    encode(text: unknown = ""): Uint8Array {
      return encode(String(text));
    }
    encodeInto(text: unknown, target: Uint8Array): { read: number; written: number } {
      let read = 0;
      let written = 0;
      for (const character of String(text)) {
        const bytes = encode(character);
        if (written + bytes.length > target.length) break;
        target.set(bytes, written);
        read += character.length;
        written += bytes.length;
      }
      return { read, written };
    }
  };
}

function decoderClass(host: HostCall): unknown {
  return class TextDecoder {
    readonly encoding = "utf-8";
    readonly fatal: boolean;
    readonly ignoreBOM: boolean;
    #held: Uint8Array = new Uint8Array(0);

    constructor(label: unknown = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
      if (!/^\s*(utf-?8|unicode-1-1-utf-8)\s*$/i.test(String(label)))
        throw new RangeError("only utf-8 is here; isolation host has more");
      this.fatal = options.fatal === true;
      this.ignoreBOM = options.ignoreBOM === true;
    }

    decode(input?: ArrayBuffer | ArrayBufferView, options: { stream?: boolean } = {}): string {
      let bytes = joined(this.#held, bytesOf(input));
      const cut = options.stream === true ? bytes.length - openTail(bytes) : bytes.length;
      this.#held = bytes.slice(cut);
      bytes = bytes.slice(0, cut);
      const text = host(this.fatal ? "utf8ReadFatal" : "utf8Read", bytes);
      if (typeof text !== "string") throw new TypeError("the encoded data was not valid");
      return !this.ignoreBOM && text.startsWith("\ufeff") ? text.slice(1) : text;
    }
  };
}

export function bytesOf(input: unknown): Uint8Array {
  if (input === undefined) return new Uint8Array(0);
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  if (input instanceof ArrayBuffer) return new Uint8Array(input);
  throw new TypeError("not an ArrayBuffer or a view of one");
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  if (head.length === 0) return tail;
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}

/** Bytes of a character that is not complete yet, at most three. */
function openTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0;
  }
  return 0;
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function btoa(value: unknown): string {
  const text = String(value);
  let out = "";
  for (let i = 0; i < text.length; i += 3) {
    const codes = [0, 1, 2].map((n) => (i + n < text.length ? text.charCodeAt(i + n) : 0));
    if (codes.some((code) => code > 255)) throw new RangeError("a character is outside of Latin-1");
    const word = codes.reduce((bits, code) => (bits << 8) | code, 0);
    const left = text.length - i;
    out += alphabet.charAt(word >> 18) + alphabet.charAt((word >> 12) & 63);
    out += left > 1 ? alphabet.charAt((word >> 6) & 63) : "=";
    out += left > 2 ? alphabet.charAt(word & 63) : "=";
  }
  return out;
}

function atob(value: unknown): string {
  const text = String(value)
    .replace(/[\t\n\f\r ]+/g, "")
    .replace(/={1,2}$/, "");
  if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text)) throw new RangeError("not base64");
  let out = "";
  let word = 0;
  let bits = 0;
  for (const character of text) {
    word = ((word << 6) | alphabet.indexOf(character)) & 0xffffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += String.fromCharCode((word >> bits) & 255);
  }
  return out;
}
