import { constants, inflateSync } from "node:zlib";
import { Fault } from "../../base/index.ts";
import { errnoOf } from "./regular-file.ts";

/** Deflate never makes more than this many bytes out of one. */
export const maxExpansion = 1032;

/** More input than any sane deflate stream of `size` bytes needs. */
export const deflatedBound = (size: number): number => size + Math.ceil(size / 1000) + 1024;

/**
 * The `size` bytes of the zlib stream at the start of `input`; what follows the stream is not looked at. Null when the
 * input ends before the stream does. Anything else but exactly `size` bytes is `REPO_CORRUPT`.
 */
export function inflateExactly(input: Buffer, size: number): Buffer | null {
  try {
    // One byte of room more: a stream that is longer than announced must fail, not be cut.
    const body = inflateSync(input, { maxOutputLength: size + 1 });
    if (body.length === size) return body;
  } catch (error) {
    if (errnoOf(error) === "Z_BUF_ERROR") return null;
    throw new Fault("REPO_CORRUPT", "object does not inflate", { cause: error });
  }
  throw new Fault("REPO_CORRUPT", "object size differs from its header");
}

/** The first bytes of a zlib stream, from at most `inputBytes` of it. */
export function inflateStart(input: Buffer, inputBytes: number): Buffer {
  try {
    return inflateSync(input.subarray(0, inputBytes), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (error) {
    throw new Fault("REPO_CORRUPT", "object does not inflate", { cause: error });
  }
}

/** The whole zlib stream; only for input that is too short to become large. */
export function inflateAll(input: Buffer): Buffer {
  try {
    return inflateSync(input);
  } catch (error) {
    throw new Fault("REPO_CORRUPT", "object does not inflate", { cause: error });
  }
}
