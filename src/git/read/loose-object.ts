import { join } from "node:path";
import { Fault } from "../../base/index.ts";
import { type GitObject, isObjectType, type ObjectType, type Oid } from "../format/object.ts";
import { deflatedBound, inflateAll, inflateExactly, inflateStart, maxExpansion } from "./inflate.ts";
import { readRegularFile } from "./regular-file.ts";

const maxHeaderBytes = 32;
/** Enough deflated bytes to hold code tables and a header, few enough to inflate to a megabyte at most. */
const peekBytes = 1024;

const corrupt = (why: string): Fault => new Fault("REPO_CORRUPT", `bad loose object: ${why}`);

export const loosePath = (objectsDir: string, oid: Oid): string => join(objectsDir, oid.slice(0, 2), oid.slice(2));

/** A loose object, not yet compared with its oid; null where there is none. */
export function readLooseObject(objectsDir: string, oid: Oid, maxObjectBytes: number): GitObject | null {
  const maxFileBytes = deflatedBound(maxObjectBytes) + maxHeaderBytes;
  const bytes = readRegularFile(loosePath(objectsDir, oid), maxFileBytes, `object ${oid}`);
  return bytes === null ? null : decodeLooseObject(bytes, maxObjectBytes);
}

/** The object in the bytes of a loose file. Its size is known, and refused, before anything large is inflated. */
export function decodeLooseObject(bytes: Buffer, maxObjectBytes: number): GitObject {
  if (bytes.length === 0) throw corrupt("empty file");
  const small = bytes.length * maxExpansion <= maxObjectBytes;
  const start = small ? inflateAll(bytes) : inflateStart(bytes, peekBytes);
  const { type, size, end } = headerOf(start);
  if (size > maxObjectBytes) throw new Fault("OBJECT_TOO_LARGE", `object of ${String(size)} bytes`);
  const whole = small ? start : inflateExactly(bytes, end + size);
  if (whole === null) throw corrupt("cut off");
  if (whole.length !== end + size) throw corrupt("size differs from its header");
  return { type, body: whole.subarray(end) };
}

function headerOf(start: Buffer): { readonly type: ObjectType; readonly size: number; readonly end: number } {
  const end = start.subarray(0, maxHeaderBytes).indexOf(0);
  if (end < 0) throw corrupt("no header");
  const [type = "", digits = "", more] = start.toString("latin1", 0, end).split(" ");
  if (!isObjectType(type) || !/^(?:0|[1-9]\d{0,14})$/u.test(digits) || more !== undefined) throw corrupt("header");
  return { type, size: Number(digits), end: end + 1 };
}
