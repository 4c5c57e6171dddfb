import { toOid } from "../git/index.ts";
import type { LastSigned, SignAnswer, SignedObject, SignRequest } from "./sign-request.ts";
import {
  bytesField,
  countField,
  FieldDefect,
  type Fields,
  fieldsOf,
  listField,
  matchingField,
  nullOr,
  textField,
} from "./wire-fields.ts";

// JSON has no bytes: they travel as base64.
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const hex64 = /^[0-9a-f]{64}$/;

export const oidField = (fields: Fields, name: string) => toOid(matchingField(fields, name, /^[0-9a-f]{40}$/));
export const hashField = (fields: Fields, name: string): string => matchingField(fields, name, hex64);

export function encodeRequest({ parentTrees, files, ...rest }: SignRequest): object {
  return {
    ...rest,
    parentTrees: parentTrees.map(({ oid, body }) => ({ oid, body: base64(body) })),
    files: files.map(({ path, bytes }) => ({ path, bytes: base64(bytes) })),
  };
}

export function decodeRequest(value: unknown): SignRequest {
  const fields = fieldsOf(value, ["batch", "timestamp", "parent", "parentTrees", "files", "size", "root"]);
  return {
    batch: countField(fields, "batch"),
    timestamp: textField(fields, "timestamp"),
    parent: nullOr(fields, "parent", oidField),
    parentTrees: listField(fields, "parentTrees", (item) => {
      const tree = fieldsOf(item, ["oid", "body"]);
      return { oid: oidField(tree, "oid"), body: bytesField(tree, "body") };
    }),
    files: listField(fields, "files", (item) => {
      const file = fieldsOf(item, ["path", "bytes"]);
      return { path: textField(file, "path"), bytes: bytesField(file, "bytes") };
    }),
    size: countField(fields, "size"),
    root: hashField(fields, "root"),
  };
}

export function encodeAnswer({ commit, objects, checkpoint, checkpointSig }: SignAnswer): object {
  return {
    commit: commit.oid,
    objects: objects.map(({ oid, type, body }) => ({ oid, type, body: base64(body) })),
    checkpoint,
    checkpointSig,
  };
}

export function decodeAnswer(value: unknown): SignAnswer {
  const fields = fieldsOf(value, ["commit", "objects", "checkpoint", "checkpointSig"]);
  const objects = listField(fields, "objects", decodeObject);
  const oid = oidField(fields, "commit");
  const commit = objects.at(-1);
  if (commit?.oid !== oid || commit.type !== "commit") throw new FieldDefect("the last object is not the commit");
  return {
    commit: { oid, body: commit.body },
    objects,
    checkpoint: textField(fields, "checkpoint"),
    checkpointSig: textField(fields, "checkpointSig"),
  };
}

function decodeObject(item: unknown): SignedObject {
  const object = fieldsOf(item, ["oid", "type", "body"]);
  const type = object["type"];
  if (type !== "blob" && type !== "tree" && type !== "commit") throw new FieldDefect("unknown object type");
  return { oid: oidField(object, "oid"), type, body: bytesField(object, "body") };
}

export function encodeLast(last: LastSigned | null): object | null {
  return last === null ? null : { ...last, request: encodeRequest(last.request) };
}

export function decodeLast(value: unknown): LastSigned | null {
  if (value === null) return null;
  const fields = fieldsOf(value, ["batch", "commit", "request"]);
  return {
    batch: countField(fields, "batch"),
    commit: oidField(fields, "commit"),
    request: decodeRequest(fields["request"]),
  };
}
