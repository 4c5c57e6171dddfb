/** SHA-256 as a function, so that record/ and trust/ run in a browser too. Returns 32 bytes. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** 64 lower-case hex digits. */
export type Hex = string;

const digits = "0123456789abcdef";

export function hexOf(bytes: Uint8Array): Hex {
  let text = "";
  for (const byte of bytes) text += (digits[byte >> 4] ?? "") + (digits[byte & 15] ?? "");
  return text;
}

export function bytesOfHex(hex: string): Uint8Array {
  if (hex.length % 2 !== 0 || !/^[0-9a-f]*$/.test(hex)) throw new RangeError("not lower-case hex");
  const out = new Uint8Array(hex.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16);
  return out;
}

const utf8 = new TextEncoder();

export const bytesOfText = (text: string): Uint8Array => utf8.encode(text);

/** Hex SHA-256 of a text's UTF-8 bytes. */
export const hexDigestWith =
  (sha256: Sha256) =>
  (text: string): Hex =>
    hexOf(sha256(bytesOfText(text)));
