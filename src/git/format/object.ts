import { createHash } from "node:crypto";
import { type Brand, Fault } from "../../base/index.ts";

/** A SHA-1 object id: 40 lower-case hex digits. */
export type Oid = Brand<string, "Oid">;

export type ObjectType = "commit" | "tree" | "blob" | "tag";

/** One object. `body` may be shared with the reader's cache: never write into it. */
export interface GitObject {
  readonly type: ObjectType;
  readonly body: Buffer;
}

const oidPattern = /^[0-9a-f]{40}$/;

export const isOid = (text: string): text is Oid => oidPattern.test(text);

/** Mints an oid from text; `REPO_CORRUPT` when it is none. */
export function toOid(text: string): Oid {
  if (isOid(text)) return text;
  throw new Fault("REPO_CORRUPT", `not an object id: ${JSON.stringify(text.slice(0, 64))}`);
}

export const isObjectType = (text: string): text is ObjectType =>
  text === "commit" || text === "tree" || text === "blob" || text === "tag";

/** What git hashes and deflates in front of the body. */
export const objectHeader = (type: ObjectType, bodyBytes: number): Buffer =>
  Buffer.from(`${type} ${String(bodyBytes)}\0`, "latin1");

/** The id that git gives to these bytes. */
export function hashObject(type: ObjectType, body: Uint8Array): Oid {
  return createHash("sha1").update(objectHeader(type, body.length)).update(body).digest("hex") as Oid;
}
