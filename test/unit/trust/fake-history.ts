import { createHash } from "node:crypto";
import { drained } from "../../../src/base/index.ts";
import {
  type ApprovalStatement,
  approvalBlob,
  armorSshsig,
  type ChangeDemands,
  changeDemands,
  ed25519Blob,
  type PolicyRead,
  planHash,
  publicKeyLine,
  type StoredApproval,
  signedData,
  statementBytes,
  type TreeReader,
  type TrustCommit,
  type TrustCrypto,
  type TrustPolicy,
  type TrustTreeEntry,
  type TrustWalk,
  type TrustWalkOptions,
  walkTrust,
} from "../../../src/trust/index.ts";

const hash = (algorithm: string, ...parts: readonly Uint8Array[]): Buffer =>
  parts.reduce((digest, part) => digest.update(part), createHash(algorithm)).digest();

/** Whose "signature" is SHA-512(public key, message): a hundred times faster than the curve, and as exact. */
const fakeCrypto: TrustCrypto = {
  sha256: (bytes) => hash("sha256", bytes),
  sha512: (bytes) => hash("sha512", bytes),
  verifyEd25519: (key, message, signature) => hash("sha512", key, message).equals(signature),
  verifyEcdsa: () => false,
  verifyRsa: () => false,
};

const publicKey = (person: string): Buffer => hash("sha256", Buffer.from(person));
const keyBlob = (person: string): Uint8Array => ed25519Blob(publicKey(person));
export const keyLine = (person: string): string => publicKeyLine(keyBlob(person));
export const signersFile = (...people: readonly string[]): string =>
  people.map((person) => `${person}@acme.example ${keyLine(person)}\n`).join("");

export interface FakeTree {
  readonly signers: string | null;
  /** Members that are left out have their default; a text = orrery.yaml does not decode, for this reason. */
  readonly policy: Partial<TrustPolicy> | string | null;
  readonly recorders: readonly string[];
  /** Contents by path; `null` takes a file away. The three above stand at their own paths. */
  readonly files: Readonly<Record<string, string | null>>;
}

export interface FakeCommit {
  readonly by: string | null;
  /** Who wrote it, if not `by`. */
  readonly author?: string;
  readonly committer?: string;
  readonly key?: string;
  readonly parents?: readonly string[];
  readonly tree?: Partial<FakeTree>;
  readonly seconds?: number;
  readonly defect?: string;
  readonly forged?: boolean;
  readonly namespace?: string;
}

export const start = Date.parse("2026-11-24T00:00:00Z") / 1000;

/** The n-th commit of a history. */
export const oidOf = (n: number): string => `c${String(n).padStart(39, "0")}`;

/** A repository in memory. */
export class FakeHistory {
  readonly #commits = new Map<string, TrustCommit>();
  readonly #trees = new Map<string, FakeTree>();
  #head: string | null = null;
  /** What stands under refs/orrery/approvals. */
  readonly approvals: StoredApproval[] = [];
  readonly treeNames = new Map<string, string>();
  reads = 0;

  get head(): string {
    return this.#head ?? "";
  }

  treeOf(oid: string): FakeTree {
    return this.#trees.get(oid) ?? { signers: null, policy: null, recorders: [], files: {} };
  }

  commitOf(oid: string): TrustCommit {
    const commit = this.#commits.get(oid);
    if (commit === undefined) throw new Error(`no commit ${oid}`);
    return commit;
  }

  /** On top of the last one unless `parents` says else; its tree is its first parent's with `tree` over it. */
  commit(wanted: FakeCommit): string {
    const { by, parents, tree, seconds, defect = null, forged, namespace = "git" } = wanted;
    const oid = oidOf(this.#commits.size + 1);
    const line = parents ?? [this.#head].filter((head) => head !== null);
    const before = this.treeOf(line[0] ?? "");
    this.#trees.set(oid, { ...before, ...tree, files: { ...before.files, ...tree?.files } });
    const payload = Buffer.from(`commit ${oid} on ${line.join(" ")}`);
    const at = seconds ?? start + this.#commits.size;
    const signature =
      by === null ? null : sign(wanted.key ?? by, forged === true ? Buffer.from("other") : payload, namespace);
    const people = { author: identOf(wanted.author ?? by, at), committer: identOf(wanted.committer ?? by, at) };
    const commit = { oid, tree: oid, parents: line, ...people, payload, signature };
    this.#commits.set(oid, { ...commit, defect });
    this.#head = oid;
    return oid;
  }

  get reader(): TreeReader {
    const { approvals } = this;
    return {
      readSigners: (tree) => this.treeOf(tree).signers,
      readPolicy: (tree) => policyRead(this.treeOf(tree).policy),
      recorderKeys: (tree) => this.treeOf(tree).recorders.map(keyBlob),
      readTree: (tree) => entriesOf(this, tree),
      contentSha256: (blob) => hash("sha256", Buffer.from(blob)).toString("hex"),
      approvals: function* () {
        yield;
        return approvals;
      },
    };
  }

  walk(verified: string | null, head: string, over: Partial<TrustWalkOptions> = {}): TrustWalk {
    return walkTrust({
      verified: verified === null ? null : { commit: verified },
      head,
      readCommit: (oid) => {
        this.reads++;
        return this.commitOf(oid);
      },
      ...this.reader,
      pinnedSigners: null,
      now: new Date((start + 100_000) * 1000),
      crypto: fakeCrypto,
      ...over,
    });
  }

  /** What the change from one commit to another needs, and has. */
  demands(base: string, head: string): ChangeDemands {
    const readCommit = (oid: string): TrustCommit => this.commitOf(oid);
    const walk = this.walk(base, head);
    return changeDemands({ reader: this.reader, readCommit, crypto: fakeCrypto, base, head, walk });
  }
}

const identOf = (person: string | null, seconds: number) => ({
  name: person ?? "",
  email: person === null ? "" : `${person}@acme.example`,
  seconds,
});

const fullPolicy: TrustPolicy = { commits: "require", merges: "firstParent", groups: {}, paths: null, forges: [] };

function policyRead(policy: FakeTree["policy"]): PolicyRead | null {
  if (policy === null) return null;
  if (typeof policy === "string") return { kind: "unreadable", message: policy };
  const full = { ...fullPolicy, ...policy };
  return { kind: "policy", policy: full, ruleLines: (full.paths ?? []).map((_, index) => index + 10) };
}

/** A tree is named `<commit>:<folder>`, a blob by its content. */
function entriesOf(history: FakeHistory, name: string): readonly TrustTreeEntry[] {
  const [oid = "", prefix = ""] = name.split(":");
  const { signers, policy, recorders, files } = history.treeOf(oid);
  const all: Readonly<Record<string, string | null>> = {
    "keys/spec_signers": signers,
    "orrery.yaml": policy === null ? null : JSON.stringify(policy),
    "sites/hq.yaml": recorders.length === 0 ? null : recorders.join(),
    ...files,
  };
  const here = new Map<string, TrustTreeEntry>();
  const below = Object.entries(all).filter(([path, text]) => text !== null && path.startsWith(prefix));
  for (const [path, text] of below) {
    const rest = path.slice(prefix.length);
    const [first = "", more] = rest.split("/", 2);
    const folder = `${prefix}${first}/`;
    const content = below
      .filter(([other]) => other.startsWith(folder))
      .map(([other, within]) => [other.slice(folder.length), within] as const);
    here.set(
      first,
      more === undefined
        ? { name: first, mode: "100644", kind: "blob", oid: text ?? "", defect: null }
        : {
            ...{ name: first, mode: "40000", kind: "tree", defect: null },
            oid: treeName(history.treeNames, `${oid}:${folder}`, content),
          },
    );
  }
  return [...here.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Equal folders have one id, as in Git. */
function treeName(
  names: Map<string, string>,
  name: string,
  content: readonly (readonly [string, string | null])[],
): string {
  const key = JSON.stringify(content);
  const known = names.get(key) ?? name;
  names.set(key, known);
  return known;
}

/** Signs an approval and puts it under its ref. */
export function approve(
  history: FakeHistory,
  by: string,
  statement: Omit<ApprovalStatement, "verdict" | "reason"> & Partial<ApprovalStatement>,
  namespace = "orrery-approval",
): StoredApproval {
  const full: ApprovalStatement = { verdict: "approve", reason: "looked at it", ...statement };
  const bytes = approvalBlob(full, sign(by, statementBytes(full), namespace));
  const stored = { head: full.head, sha256: hash("sha256", bytes).toString("hex"), bytes };
  history.approvals.push(stored);
  return stored;
}

/** The hash of what lies between two commits. */
export const planOf = (history: FakeHistory, base: string, head: string): string =>
  drained(planHash(history.reader, { before: base, after: head }, fakeCrypto.sha256));

function sign(person: string, message: Uint8Array, namespace: string): string {
  const data = signedData(namespace, "sha512", hash("sha512", message));
  const raw = hash("sha512", publicKey(person), data);
  return armorSshsig({ blob: keyBlob(person), namespace, hash: "sha512", algorithm: "ssh-ed25519", raw });
}
