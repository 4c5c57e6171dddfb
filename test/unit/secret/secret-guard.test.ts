import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSecretGuard } from "../../../src/secret/index.ts";

const printable = fc.string({ unit: "grapheme-ascii", minLength: 8, maxLength: 40 });
const anyBytes = fc.uint8Array({ maxLength: 50 });

const join = async (bytes: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces);
};

const bytesOf = (text: string): Uint8Array => Buffer.from(text);
/** RFC 3986, section 2.3: what may stand as it is. */
const percent = (byte: number): string =>
  /[A-Za-z0-9._~-]/.test(String.fromCharCode(byte))
    ? String.fromCharCode(byte)
    : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

async function* cut(whole: Uint8Array, at: readonly number[]): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  const borders = [0, ...at.map((n) => n % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  for (const [i, from] of borders.slice(0, -1).entries()) yield whole.subarray(from, borders[i + 1]);
}

describe("what a guard knows of a value", () => {
  it("finds it in JSON, in hex, in percent-encoding and in base64 wherever it stands there", () => {
    fc.assert(
      fc.property(printable, anyBytes, anyBytes, (value, before, after) => {
        const guard = createSecretGuard({ token: value });
        const bytes = Buffer.concat([before, Buffer.from(value), after]);

        const spellings = [
          value,
          JSON.stringify({ nested: [`x${value}y`] }),
          JSON.stringify(JSON.stringify({ value })),
          bytes.toString("hex"),
          bytes.toString("hex").toUpperCase(),
          bytes.toString("base64"),
          bytes.toString("base64url"),
          JSON.stringify({ value }).replaceAll("/", "\\/"),
          new URLSearchParams({ value }).toString(),
          Array.from(bytesOf(value), percent).join(""),
          `<b title="${value.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? "")}">`,
          `https://host.example/?q=${encodeURIComponent(value)}`,
        ];

        for (const text of spellings) expect(guard.findIn(text)).toBe("token");
        for (const text of spellings) expect(guard.findIn(guard.redact(text))).toBeNull();
      }),
    );
  });

  it("finds what is no ASCII in JSON that is", () => {
    const guard = createSecretGuard({ token: "wörd-日本-😀x" });

    for (const text of ["w\\u00f6rd-\\u65e5\\u672c-\\ud83d\\ude00x", "w\\u00F6rd-\\u65E5\\u672C-\\uD83D\\uDE00x"]) {
      expect(JSON.parse(`"${text}"`)).toBe("wörd-日本-😀x");
      expect(guard.findIn(text)).toBe("token");
    }
  });

  it("masks a value whole where another one stands in it, in whichever order they are given", () => {
    const values = { a: "password1", b: "password1-and-more", c: "more-password1" };
    for (const names of [
      ["a", "b", "c"],
      ["c", "b", "a"],
    ] as const) {
      const guard = createSecretGuard(Object.fromEntries(names.map((name) => [name, values[name]])));

      expect(guard.redact("x password1-and-more y more-password1 z")).toBe("x [redacted] y [redacted] z");
    }
  });

  it("says nothing of a text that does not hold it", () => {
    const guard = createSecretGuard({ token: "canary-7f3a9c0d1e" });

    expect(guard.findIn("a canary in a mine, 7f3a9c0d1e")).toBeNull();
    expect(guard.redact("delivered to notify.internal")).toBe("delivered to notify.internal");
  });

  it("masks the beginning of a value at the end of a line that was cut", () => {
    const guard = createSecretGuard({ token: "canary-7f3a9c0d1e" });

    expect(guard.redact("header: Bearer canary-7f3a")).toBe("header: Bearer [redacted]");
    expect(createSecretGuard({ token: `${"a".repeat(20)}b` }).redact(`x ${"a".repeat(12)}`)).toBe("x [redacted]");
  });

  it("masks each long line of a key that is logged line by line, never the armour that any key has", () => {
    const key = `-----BEGIN EXAMPLE-----\n${"A1b2".repeat(10)}\n${"c3D4".repeat(10)}\n-----END EXAMPLE-----`;
    const guard = createSecretGuard({ key });

    expect(guard.redact(`line 2: ${"A1b2".repeat(10)}`)).toBe("line 2: [redacted]");
    expect(guard.redact("-----BEGIN EXAMPLE----- of another")).toBe("-----BEGIN EXAMPLE----- of another");
  });
});

describe("a stream that is watched", () => {
  it("passes what holds no value, byte for byte", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(), { maxLength: 5 }), async (whole, at) => {
        const guard = createSecretGuard({ token: "canary-7f3a9c0d1e" });

        expect((await join(guard.watch(cut(whole, at)))).equals(Buffer.from(whole))).toBe(true);
      }),
    );
  });

  it("stops at a value wherever the pieces are cut", async () => {
    const spelling = fc.constantFrom<BufferEncoding>("utf8", "base64", "hex", "utf16le");
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(printable, spelling),
        fc.tuple(anyBytes, anyBytes),
        fc.array(fc.nat(), { maxLength: 8 }),
        async ([value, encoding], [before, after], at) => {
          const guard = createSecretGuard({ token: value });
          const text =
            encoding === "utf16le" ? Buffer.from(value, "utf16le") : Buffer.from(Buffer.from(value).toString(encoding));
          const whole = Buffer.concat([before, text, after]);

          await expect(join(guard.watch(cut(whole, at)))).rejects.toMatchObject({ code: "SECRET_LEAKED" });
        },
      ),
    );
  });

  it("names the secret and never shows it", async () => {
    const guard = createSecretGuard({ token: "canary-7f3a9c0d1e" });

    const failed = await join(guard.watch(cut(Buffer.from("x canary-7f3a9c0d1e"), []))).catch(
      (error: unknown) => error,
    );

    expect(String(failed)).toContain("secret token");
    expect(String(failed)).not.toContain("canary");
  });
});
