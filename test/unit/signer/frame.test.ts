import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeFrame, FrameReader } from "../../../src/signer/frame.ts";
import { decodeAnswer, decodeRequest, encodeAnswer, encodeRequest } from "../../../src/signer/sign-codec.ts";
import { decodeCall, decodeReply } from "../../../src/signer/signer-verbs.ts";

describe("frames", () => {
  it("come out as they went in, however the pipe cuts them", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 5 }), fc.array(fc.nat(40)), (values, cuts) => {
        const messages = values.map((value) => ({ value }));
        const bytes = Buffer.concat(messages.map(encodeFrame));
        const reader = new FrameReader();
        const read: unknown[] = [];
        let at = 0;
        for (const length of [...cuts, bytes.length]) {
          read.push(...reader.push(bytes.subarray(at, at + length)));
          at = Math.min(bytes.length, at + length);
        }

        expect(JSON.stringify(read)).toBe(JSON.stringify(messages));
      }),
    );
  });

  it("longer than the cap are refused by their length, before their bytes arrive", () => {
    expect(() => new FrameReader().push(Buffer.of(255, 255, 255, 255))).toThrow("frame too long");
  });

  it("that are no JSON are refused", () => {
    expect(() => new FrameReader().push(Buffer.from([0, 0, 0, 1, 0x7b]))).toThrow(SyntaxError);
  });
});

describe("messages", () => {
  const request = {
    batch: 2,
    timestamp: "2026-11-24T00:00:00.000Z",
    parent: "a".repeat(40),
    parentTrees: [{ oid: "b".repeat(40), body: Buffer.of(1, 2) }],
    files: [{ path: "records/acme/x", bytes: Buffer.of(0, 255) }],
    size: 3,
    root: "c".repeat(64),
  };

  it("of requests and answers keep every byte", () => {
    const commit = { oid: "d".repeat(40), body: Buffer.of(9) };
    const answer = { commit, objects: [{ ...commit, type: "commit" as const }], checkpoint: "x", checkpointSig: "y" };

    expect(decodeRequest(JSON.parse(JSON.stringify(encodeRequest(request))))).toEqual(request);
    expect(decodeAnswer(JSON.parse(JSON.stringify(encodeAnswer(answer))))).toEqual(answer);
  });

  it.each<[string, unknown]>([
    ["nothing", null],
    ["a list", []],
    ["a missing member", { ...encodeRequest(request), root: undefined }],
    ["an unknown member", { ...encodeRequest(request), extra: 1 }],
    ["a batch that is no number", { ...encodeRequest(request), batch: "2" }],
    ["a batch beyond 2^53", { ...encodeRequest(request), batch: 2 ** 53 }],
    ["a negative size", { ...encodeRequest(request), size: -1 }],
    ["a parent that is no id", { ...encodeRequest(request), parent: "HEAD" }],
    ["a root that is no hash", { ...encodeRequest(request), root: "C".repeat(64) }],
    ["files that are no list", { ...encodeRequest(request), files: {} }],
    ["bytes that are no base64", { ...encodeRequest(request), files: [{ path: "x", bytes: "*" }] }],
    ["a path that is no text", { ...encodeRequest(request), files: [{ path: 1, bytes: "" }] }],
  ])("with %s do not decode", (_, value) => {
    expect(() => decodeRequest(JSON.parse(JSON.stringify(value)))).toThrow();
  });

  it("have one of three verbs, and one of two outcomes", () => {
    expect(() => decodeCall({ id: 1, verb: "key", body: null })).toThrow("unknown verb");
    expect(() => decodeReply({ id: 1 })).toThrow("member ok is missing");
    expect(() => decodeReply({ id: 1, ok: 1, fault: { code: "X", message: "" } })).toThrow("unknown member");
    expect(decodeReply({ id: 1, ok: null })).toEqual({ id: 1, ok: null });
  });
});
