import { join } from "node:path";
import { Fault } from "../../base/index.ts";
import { isOid, type Oid } from "../format/object.ts";
import { readRegularFile } from "./regular-file.ts";

const oidDigits = 40;
const maxPackedRefsBytes = 512 * 2 ** 20;

/** The packed-refs file as bytes, empty where there is none; git replaces it as a whole, so one read is one state. */
function readPackedRefs(commonDir: string): Buffer {
  const bytes = readRegularFile(join(commonDir, "packed-refs"), maxPackedRefsBytes, "packed-refs");
  if (bytes === null || bytes.length === 0) return Buffer.alloc(0);
  // A cut-off file would make the refs after the cut look deleted.
  if (bytes.at(-1) !== 0x0a) throw new Fault("REPO_CORRUPT", "packed-refs is cut off");
  return bytes;
}

/** The packed value of one ref, or null. Searches the bytes: a repository may hold 100,000 refs. */
export function readPackedRef(commonDir: string, ref: string): Oid | null {
  const bytes = readPackedRefs(commonDir);
  const wanted = Buffer.from(` ${ref}\n`);
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) {
    const start = at - oidDigits;
    const atLineStart = start === 0 || bytes[start - 1] === 0x0a;
    const oid = start < 0 ? "" : bytes.toString("latin1", start, at);
    if (atLineStart && isOid(oid)) return oid;
  }
  return null;
}

/** All packed refs. */
export function listPackedRefs(commonDir: string): ReadonlyMap<string, Oid> {
  const refs = new Map<string, Oid>();
  for (const line of readPackedRefs(commonDir).toString("utf8").split("\n")) {
    const oid = line.slice(0, oidDigits);
    if (line.charAt(oidDigits) === " " && isOid(oid)) refs.set(line.slice(oidDigits + 1), oid);
  }
  return refs;
}
