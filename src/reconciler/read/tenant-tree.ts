import { type CodeName, faultOf } from "../../base/index.ts";
import type { Oid, TreeEntry, TreeSource } from "../../git/index.ts";
import { ageFileDefect, isSecretName, maxAgeFileBytes } from "../../secret/index.ts";
import { classifyPath, type Finding, misplacedPath, type PinnedFile, type PinnedSecret } from "../../spec/index.ts";
import type { BlobCache } from "./blob-cache.ts";

/** One part of the repository, sorted into what it is for. */
export interface SpecTree {
  /** Path and blob of every file that is, or looks like, a document. */
  readonly documents: readonly { readonly path: string; readonly oid: Oid }[];
  /** SHA-256 of every plugin.js by path. */
  readonly pluginBytes: ReadonlyMap<string, string>;
  /** All of files/, relative to it. */
  readonly files: readonly PinnedFile[];
  /** Age files of a tenant. */
  readonly secrets: readonly PinnedSecret[];
  /** Entries that are not read: symlinks, submodules, unsafe names, files in secrets/ that are none. */
  readonly refused: readonly { readonly path: string; readonly finding: Finding }[];
  /** Blob of each SHA-256 that `pluginBytes`, `files` and `secrets` name. */
  readonly blobs: ReadonlyMap<string, Oid>;
}

/**
 * Reads what stands below `prefix`: `tenants/<tenant>/` or `plugins/`, and for lint all of `tenants/` or `sites/`.
 * Symlinks and submodules are never followed.
 */
export function readSpecTree(
  source: Pick<TreeSource, "walkTree">,
  cache: BlobCache,
  tree: Oid,
  prefix: string,
): SpecTree {
  const documents: { path: string; oid: Oid }[] = [];
  const pluginBytes = new Map<string, string>();
  const files: PinnedFile[] = [];
  const refused: { path: string; finding: Finding }[] = [];
  const blobs = new Map<string, Oid>();
  const secrets: PinnedSecret[] = [];
  const isTenant = /^tenants\/[^/]+\/$/.test(prefix);
  const isFile = (path: string): boolean => isTenant && path.startsWith(`${prefix}files/`);
  const isSecret = (path: string): boolean => isTenant && path.startsWith(`${prefix}secrets/`);
  for (const { path, entry } of source.walkTree(tree, prefix)) {
    const finding = entryFinding(path, entry);
    if (finding !== null) {
      refused.push({ path, finding });
    } else if (isSecret(path)) {
      const secret = readSecretFile(cache, path, { prefix, oid: entry.oid });
      if ("code" in secret) refused.push({ path, finding: secret });
      else {
        blobs.set(secret.sha256, entry.oid);
        secrets.push(secret);
      }
    } else if (isFile(path) || path.endsWith("/plugin.js")) {
      const facts = orUnreadable(path, () => cache.facts(entry.oid));
      if ("code" in facts) {
        refused.push({ path, finding: facts });
        continue;
      }
      blobs.set(facts.sha256, entry.oid);
      if (isFile(path)) files.push({ path: path.slice(prefix.length + "files/".length), ...facts });
      else pluginBytes.set(path, facts.sha256);
    } else if (classifyPath(path) !== null || misplacedPath(path) !== null) {
      documents.push({ path, oid: entry.oid });
    }
  }
  return { documents, pluginBytes, files, secrets, refused, blobs };
}

function readSecretFile(
  cache: BlobCache,
  path: string,
  { prefix, oid }: { readonly prefix: string; readonly oid: Oid },
): PinnedSecret | Finding {
  const finding = (why: string): Finding => ({
    ...{ code: "SECRET_FILE", severity: "error", path, line: 0, col: 0, pointer: "" },
    message: `${path}: ${why}`,
    fix: "Write it with orrery secret set --age; if it held a value in the clear, replace that value.",
  });
  const name = path.slice(`${prefix}secrets/`.length).replace(/\.age$/, "");
  if (!path.endsWith(".age") || !isSecretName(name)) return finding("only <name>.age files belong here");
  return orUnreadable(path, () => {
    const { sha256, bytes } = cache.facts(oid);
    const why = bytes > maxAgeFileBytes ? `it is longer than ${maxAgeFileBytes} bytes` : ageFileDefect(cache.read(oid));
    return why === null ? { name, sha256 } : finding(why);
  });
}

const unreadable: Readonly<Partial<Record<CodeName, string>>> = {
  OBJECT_TOO_LARGE: "Make it smaller, or keep it outside of the repository and name it by its hash.",
  REPO_CORRUPT: "Fetch or push the object again; git fsck names what is missing.",
};

/**
 * What `read` answers; where the repository cannot give it (too large, missing, damaged), a finding at `path`: one bad
 * object must not stop what does not name it. Any other failure passes through.
 */
export function orUnreadable<T>(path: string, read: () => T): T | Finding {
  try {
    return read();
  } catch (error) {
    const { code, message } = faultOf(error);
    const fix = unreadable[code];
    if (fix === undefined) throw error;
    return { code, severity: "error", path, line: 0, col: 0, pointer: "", message: `${path}: ${message}`, fix };
  }
}

/** Why an entry is not read, or null. */
export function entryFinding(path: string, { kind, defect }: TreeEntry): Finding | null {
  const what = kind === "blob" ? defect : (defect ?? (kind === "tree" ? null : `a ${kind} is not followed`));
  if (what === null) return null;
  return {
    code: "SPEC_TREE_ENTRY",
    severity: "error",
    path,
    line: 0,
    col: 0,
    pointer: "",
    message: `${path}: ${what}`,
    fix: "Replace it by a regular file with a plain name.",
  };
}
