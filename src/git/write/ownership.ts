import { Fault } from "../../base/index.ts";
import { booleanOf, type GitConfig, settingOf } from "../read/git-config.ts";
import type { DurableFs, FileFacts } from "./durable-fs.ts";

/** What a new file or directory gets, so that the repository's other writers can go on using it. */
export interface Ownership {
  adopt(path: string, kind: "file" | "directory"): Promise<void>;
}

interface SharedBits {
  readonly bits: number;
  /** An octal `core.sharedRepository` says exactly which bits, a word only adds some. */
  readonly exact: boolean;
}

const groupBits = 0o660;
const everybodyBits = 0o664;
const writeBits = 0o222;
const setGroupId = 0o2000;
const rootUid = 0;

/**
 * Owner, group and `core.sharedRepository` as git keeps them. `REPO_NOT_WRITABLE` when what we write would belong to
 * somebody else than the repository and nothing says that it is shared: its owner could then not write any more.
 */
export function ownershipOf(fs: DurableFs, config: GitConfig, directory: FileFacts, euid: number): Ownership {
  const shared = sharedBits(config);
  const foreign = directory.uid !== euid;
  if (foreign && euid !== rootUid && shared === null) {
    throw new Fault(
      "REPO_NOT_WRITABLE",
      `the repository belongs to uid ${String(directory.uid)}, we are uid ${String(euid)}; ` +
        "run as its owner, or: git config core.sharedRepository group",
    );
  }
  return {
    adopt: async (path, kind) => {
      if (foreign && euid === rootUid) await fs.chown(path, directory.uid, directory.gid);
      const before = shared === null ? null : await fs.facts(path);
      if (shared !== null && before !== null) await fs.chmod(path, sharedMode(before.mode, kind, shared));
    },
  };
}

/** Git's calc_shared_perm and adjust_shared_perm. */
function sharedMode(mode: number, kind: "file" | "directory", { bits, exact }: SharedBits): number {
  const allowed = kind === "file" && (mode & 0o200) === 0 ? bits & ~writeBits : bits;
  const merged = exact ? (mode & ~0o777) | allowed : mode | allowed;
  if (kind === "file") return merged & 0o7777;
  return (merged | ((merged & 0o444) >> 2) | setGroupId) & 0o7777;
}

function sharedBits(config: GitConfig): SharedBits | null {
  const value = settingOf(config, "core", "sharedrepository");
  if (value === undefined) return null;
  const word = value?.toLowerCase() ?? "true";
  if (word === "umask") return null;
  if (word === "group" || word === "1") return { bits: groupBits, exact: false };
  if (["all", "world", "everybody", "2"].includes(word)) return { bits: everybodyBits, exact: false };
  if (/^0?[0-7]{3}$/u.test(word)) return { bits: Number.parseInt(word, 8) & 0o666, exact: true };
  return booleanOf(config, "core", "sharedrepository") === true ? { bits: groupBits, exact: false } : null;
}
