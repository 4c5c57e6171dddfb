export { type Commit, decodeCommit } from "./format/commit.ts";
export { type CommitInput, encodeCommit, signedCommit } from "./format/commit-text.ts";
export type { Ident } from "./format/ident.ts";
export { type GitObject, hashObject, type ObjectType, type Oid, toOid } from "./format/object.ts";
export { decodeTree, encodeTree, type TreeEntry, type TreeEntryInput, type TreeEntryKind } from "./format/tree.ts";
export { type PreflightFinding, preflight } from "./read/preflight.ts";
export type { RefValue } from "./read/refs.ts";
export { type GitRepository, type OpenRepositoryOptions, openRepository } from "./read/repository.ts";
export type { WalkedEntry } from "./read/tree-walk.ts";
export { openWorkTree, type TreeSource, type WorkTree } from "./read/work-tree.ts";
export { type WatchRefsOptions, watchRefs } from "./watch/ref-watcher.ts";
export {
  type CreateRepositoryOptions,
  createRepository,
  type FirstCommit,
  updateHook,
} from "./write/create-repository.ts";
export { type DurableFile, type DurableFs, type FileFacts, nodeDurableFs } from "./write/durable-fs.ts";
export { createGitWriter, type GitWriter, type GitWriterOptions } from "./write/git-writer.ts";
export { type GraftedObject, type GraftedTree, type GraftOptions, graftTree } from "./write/graft-tree.ts";
export type { SwapOutcome } from "./write/ref-writer.ts";
export type { RefChange } from "./write/reflog.ts";
export type { StaleLockOutcome, StaleLockRequest } from "./write/stale-lock.ts";
