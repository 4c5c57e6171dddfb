import type { Hex, UtcText } from "../base/index.ts";

/**
 * What the recorder asks of the signer, and what it gets.
 *
 * The signer gets *new files and the old trees that they touch*, and builds everything else itself: it checks the
 * chains, the Merkle root and every path, adds `checkpoint`, `checkpoint.sig` and, in batch 1, `keys/audit_signers` and
 * `keys/log.ndjson` (so these four are never in `files`), grafts the files into the trees of the last commit that it
 * signed, makes the commit object, writes its own state, and only then answers. So no caller can have it sign a tree
 * that it has not computed.
 */
export interface SignRequest {
  /** The n-th commit of the branch, from 1. */
  readonly batch: number;
  /** The one timestamp of the batch; later than that of the batch before. Author and committer time is its second. */
  readonly timestamp: UtcText;
  /** Commit id of batch n-1; null for batch 1. */
  readonly parent: string | null;
  /**
   * Raw bodies of the trees of `parent` that lie on the way to a new file: the root, `records`, `records/<tenant>` ...
   * as far as they exist; more do no harm. The signer hashes each, and starts from the root id in its own state.
   */
  readonly parentTrees: readonly { readonly oid: string; readonly body: Uint8Array }[];
  /** New files only: segments `records/**` and step lists `steps/**`. A path that is there already is refused. */
  readonly files: readonly SignedFile[];
  /** Merkle leaves after this batch, and the root over them: what the recorder computed, compared with its own. */
  readonly size: number;
  readonly root: Hex;
}

export interface SignedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface SignAnswer {
  readonly commit: { readonly oid: string; readonly body: Uint8Array };
  /** Every object that is new in this commit, each once and after those that it names; the commit is the last. */
  readonly objects: readonly SignedObject[];
  /** Text of `checkpoint`. */
  readonly checkpoint: string;
  /** Armored SSHSIG of it, namespace `orrery-checkpoint`: text of `checkpoint.sig`. */
  readonly checkpointSig: string;
}

export interface SignedObject {
  readonly oid: string;
  readonly type: "blob" | "tree" | "commit";
  /** Without the Git header. */
  readonly body: Uint8Array;
}

/**
 * The last batch that the signer signed, with the request as it came. The signer writes it before it answers, so a
 * recorder that died before it stored the answer asks for this at start and sends the same request again: another
 * batch of that number is refused for ever.
 */
export interface LastSigned {
  readonly batch: number;
  readonly commit: string;
  readonly request: SignRequest;
}

/** The recorder closes a batch before its files and trees together pass this: more is refused unread. */
export const maxSignRequestBytes = 32 * 1024 * 1024;
