import { bytesOf } from "./encoding.ts";
import type { HostCall } from "./host-call.ts";

/** Math.random, crypto.getRandomValues, randomUUID, subtle.digest. The stream behind them is the host's, seeded. */
export function chanceOf(host: HostCall): { readonly random: () => number; readonly crypto: unknown } {
  const fill = (bytes: Uint8Array): void => {
    host("random", bytes);
  };
  const block = new Uint8Array(512);
  const view = new DataView(block.buffer);
  let at = block.length;
  const random = (): number => {
    if (at + 8 > block.length) {
      fill(block);
      at = 0;
    }
    const high = view.getUint32(at) >>> 5;
    const low = view.getUint32(at + 4) >>> 6;
    at += 8;
    return (high * 67108864 + low) / 9007199254740992;
  };
  return { random, crypto: Object.freeze({ ...randomOf(fill), subtle: Object.freeze({ digest: digestOf(host) }) }) };
}

function randomOf(fill: (bytes: Uint8Array) => void): Record<string, unknown> {
  return {
    getRandomValues: (target: ArrayBufferView): ArrayBufferView => {
      const bytes = bytesOf(target);
      if (bytes.length > 65536) throw new RangeError("more than 65536 bytes");
      fill(bytes);
      return target;
    },
    randomUUID: (): string => {
      const bytes = new Uint8Array(16);
      fill(bytes);
      bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
      bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
      const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    },
  };
}

const digestBytes: Readonly<Record<string, number>> = { "SHA-1": 20, "SHA-256": 32, "SHA-384": 48, "SHA-512": 64 };

function digestOf(host: HostCall) {
  return async (algorithm: unknown, input: unknown): Promise<ArrayBuffer> => {
    const given =
      typeof algorithm === "object" && algorithm !== null ? (algorithm as { name?: unknown }).name : algorithm;
    const name = String(given).toUpperCase();
    const length = digestBytes[name];
    if (length === undefined) throw new RangeError(`no digest ${name}`);
    const out = new Uint8Array(length);
    // A copy: the host takes no view into a longer buffer for what it is not.
    const digits = host(`digest ${name}`, bytesOf(input).slice());
    for (let i = 0; i < length; i++) out[i] = Number.parseInt(String(digits).slice(i * 2, i * 2 + 2), 16);
    return Promise.resolve(out.buffer);
  };
}
