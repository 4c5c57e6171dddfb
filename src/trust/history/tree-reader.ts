import type { Hex } from "../../base/index.ts";

/** What stands in one entry of a tree; git/'s `TreeEntry` has this shape. */
export interface TrustTreeEntry {
  readonly name: string;
  /** Octal digits as written. */
  readonly mode: string;
  readonly kind: "blob" | "tree" | "symlink" | "submodule";
  readonly oid: string;
  /** Why readers leave it out, or null. */
  readonly defect: string | null;
}

export type ReadTree = (tree: string) => readonly TrustTreeEntry[];

/** What authority and approvals need of a repository. */
export interface ContentReader {
  readonly readTree: ReadTree;
  /** SHA-256 of a blob's content. */
  contentSha256(blob: string): Hex;
}
