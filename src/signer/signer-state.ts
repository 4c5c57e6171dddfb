import { closeSync, constants, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Fault } from "../base/index.ts";
import { syncDirectory } from "./private-key-file.ts";
import { decodeRequest, encodeRequest, hashField, oidField } from "./sign-codec.ts";
import type { SignRequest } from "./sign-request.ts";
import { emptyHead, type SignedChain, type SignedHead } from "./signed-head.ts";
import {
  countField,
  FieldDefect,
  type Fields,
  fieldsOf,
  listField,
  matchingField,
  nullOr,
  textField,
} from "./wire-fields.ts";

/** What the signer remembers, whole, in one file. */
export interface SignerState {
  readonly site: string;
  /** Fingerprint of the key that signed so far. */
  readonly key: string;
  readonly head: SignedHead;
  /** The head before it, and the request that led from there: to sign the last batch again. Null before batch 1. */
  readonly last: { readonly previous: SignedHead; readonly request: SignRequest } | null;
}

export interface StateFile {
  read(): SignerState | null;
  /** On disk when it returns; `SIGNER_LOST` when it cannot be, or when another signer wrote the file meanwhile. */
  write(state: SignerState): void;
}

const version = 1;

export function openStateFile(path: string): StateFile {
  let seen: string | null = null;
  return {
    read: () => {
      seen = readText(path);
      return seen === null ? null : decodeState(path, seen);
    },
    write: (state) => {
      const text = `${JSON.stringify(encodeState(state))}\n`;
      try {
        replaceFile(path, text, seen);
      } catch (error) {
        // What is on disk is now unknown: whoever gets this must start again and read it.
        throw error instanceof Fault
          ? error
          : new Fault("SIGNER_LOST", "the signer's state cannot be written", { cause: error });
      }
      seen = text;
    },
  };
}

function replaceFile(path: string, text: string, before: string | null): void {
  const scratch = `${path}.tmp`;
  // Ours alone: left by a signer that died in the middle.
  rmSync(scratch, { force: true });
  const fd = openSync(scratch, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  // A signer of a daemon that was killed may still be at work: two that believe in one head could sign a fork.
  if (readText(path) !== before) throw new Fault("SIGNER_LOST", "another signer wrote the state file");
  renameSync(scratch, path);
  syncDirectory(dirname(path));
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

function encodeState({ site, key, head, last }: SignerState): object {
  const replay = last === null ? null : { previous: last.previous, request: encodeRequest(last.request) };
  return { version, site, key, head, last: replay };
}

function decodeState(path: string, text: string): SignerState {
  try {
    const fields = fieldsOf(JSON.parse(text), ["version", "site", "key", "head", "last"]);
    if (fields["version"] !== version) throw new FieldDefect("unknown version");
    return {
      site: textField(fields, "site"),
      key: textField(fields, "key"),
      head: decodeHead(fields["head"]),
      last: nullOr(fields, "last", decodeReplay),
    };
  } catch (error) {
    throw new Fault("SIGNER_REFUSED", `the signer's state file ${path} does not decode`, { cause: error });
  }
}

function decodeReplay(fields: Fields, name: string) {
  const last = fieldsOf(fields[name], ["previous", "request"]);
  return { previous: decodeHead(last["previous"]), request: decodeRequest(last["request"]) };
}

function decodeHead(value: unknown): SignedHead {
  const fields = fieldsOf(value, Object.keys(emptyHead));
  const frontier = fieldsOf(fields["frontier"], ["size", "nodes"]);
  return {
    batch: countField(fields, "batch"),
    commit: nullOr(fields, "commit", oidField),
    tree: nullOr(fields, "tree", oidField),
    timestamp: nullOr(fields, "timestamp", textField),
    frontier: {
      size: countField(frontier, "size"),
      nodes: listField(frontier, "nodes", (node) => hashField({ node }, "node")),
    },
    chains: listField(fields, "chains", decodeChain),
  };
}

function decodeChain(item: unknown): SignedChain {
  const chain = fieldsOf(item, ["tenant", "seq", "prev"]);
  return {
    tenant: matchingField(chain, "tenant", /^[-_a-z0-9]{1,63}$/),
    seq: countField(chain, "seq"),
    prev: hashField(chain, "prev"),
  };
}
