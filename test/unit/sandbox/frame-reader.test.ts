import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maxFrameBytes } from "../../../src/sandbox/control-frame.ts";
import { chunkBytes, decodeUpFrame, FrameReader, FrameViolation } from "../../../src/sandbox/frame-reader.ts";

const id = "0123456789abcdef0123456789abcdef";
const ready = { t: "ready", node: "v20.20.2" };

it("the schema of frames is one of its draft, whole: the reader does not check it again", () => {
  const path = new URL("../../../schemas/control-frame.schema.json", import.meta.url);
  const schema = JSON.parse(readFileSync(path, "utf8")) as { readonly $id: string };
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });

  const validate = ajv.compile(schema);

  expect(ajv.validateSchema(schema)).toBe(true);
  expect([validate(ready), validate({ ...ready, more: 1 }), validate({ t: "toString" })]).toEqual([true, false, false]);
});

it.each(["down", "up", "id", "bind", "toString", "__proto__"])("%s is no kind of a frame that a host sends", (t) => {
  expect(() => decodeUpFrame(JSON.stringify({ t, id }))).toThrow(FrameViolation);
});

describe("FrameReader", () => {
  it("gives the same frames however the bytes are cut", () => {
    const frames = [
      ready,
      { t: "bound", id },
      { t: "log", id, level: "info", message: "grüße 🌍", fields: "{}" },
      { t: "output", id, text: '{"a":1}', clean: true },
    ];
    const bytes = Buffer.from(frames.map((frame) => `${JSON.stringify(frame)}\n`).join(""));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (sizes) => {
        const reader = new FrameReader();
        const read: unknown[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          read.push(...reader.push(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(read).toEqual(frames);
      }),
    );
  });

  it("throws nothing but a violation for whatever bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        try {
          for (const frame of new FrameReader().push(Buffer.from(bytes))) expect(frame).toHaveProperty("t");
        } catch (error) {
          expect(error).toBeInstanceOf(FrameViolation);
        }
      }),
    );
  });

  it("refuses a line over the cap before it is whole", () => {
    const reader = new FrameReader();
    const mebibyte = Buffer.alloc(maxFrameBytes, 0x78);

    expect([...reader.push(mebibyte)]).toEqual([]);
    expect(() => [...reader.push(Buffer.from("x"))]).toThrow(FrameViolation);
  });
});

describe("decodeUpFrame", () => {
  it.each([
    ["an unknown kind", { t: "grant", id }],
    ["a frame of the daemon's", { t: "step", id }],
    ["a kind of the prototype", { t: "constructor" }],
    ["a kind that is no text", { t: ["ready"], node: "v20.20.2" }],
    ["a member too many", { ...ready, root: true }],
    ["a member too few", { t: "bound" }],
    ["an id of another form", { t: "bound", id: id.toUpperCase() }],
    ["a call 0", { t: "more", id, call: 0 }],
    ["a fraction of a call", { t: "more", id, call: 1.5 }],
    ["a stream of no name", { t: "chunk", id, stream: "c0", n: 0, data: "", last: true }],
    ["a message too long", { t: "log", id, level: "info", message: "x".repeat(16_385), fields: "{}" }],
    ["a level of no name", { t: "log", id, level: "fatal", message: "", fields: "{}" }],
    ["an output too long for its frame", { t: "output", id, text: "x".repeat(262_145), clean: true }],
    ["an array", [ready]],
    ["null", null],
  ])("refuses %s", (_name, frame) => {
    expect(() => decodeUpFrame(JSON.stringify(frame))).toThrow(FrameViolation);
  });

  it("keeps a member named __proto__ from becoming one", () => {
    expect(() => decodeUpFrame('{"__proto__":{"t":"ready","node":"v20.20.2"}}')).toThrow(FrameViolation);
  });
});

describe("chunkBytes", () => {
  it("reads exactly what base64 says and refuses every other spelling", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(Buffer.from(chunkBytes(Buffer.from(bytes).toString("base64")))).toEqual(Buffer.from(bytes));
      }),
    );
    for (const text of ["a", "ab", "YQ", "YR==", "YQ==\n", "Y Q==", "-_-_", "YQ==YQ=="])
      expect(() => chunkBytes(text)).toThrow(FrameViolation);
  });
});
