import { join } from "node:path";
import { Fault } from "../../base/index.ts";
import { type GitObject, isObjectType, type Oid } from "../format/object.ts";
import { deflatedBound, inflateExactly, inflateStart } from "./inflate.ts";
import { readRegularFile } from "./regular-file.ts";

const maxHeaderBytes = 32;
/** Enough deflated bytes to hold a header, few enough that they cannot inflate to more than some kilobytes. */
const peekBytes = 64;

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
  const start = inflateStart(bytes, peekBytes);
  const end = start.subarray(0, maxHeaderBytes).indexOf(0);
  if (end < 0) throw corrupt("no header");
  const [type = "", digits = "", more] = start.toString("latin1", 0, end).split(" ");
  if (!isObjectType(type) || !/^(?:0|[1-9]\d{0,14})$/u.test(digits) || more !== undefined) throw corrupt("header");
  const size = Number(digits);
  if (size > maxObjectBytes) throw new Fault("OBJECT_TOO_LARGE", `object of ${digits} bytes`);
  const whole = inflateExactly(bytes, end + 1 + size);
  if (whole === null) throw corrupt("cut off");
  return { type, body: whole.subarray(end + 1) };
}
