import { createHash } from "node:crypto";
import {
  armorSshsig,
  ed25519Blob,
  publicKeyLine,
  signedData,
  type TrustCommit,
  type TrustCrypto,
  type TrustPolicy,
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
};

const publicKey = (person: string): Buffer => hash("sha256", Buffer.from(person));
const keyBlob = (person: string): Uint8Array => ed25519Blob(publicKey(person));
export const keyLine = (person: string): string => publicKeyLine(keyBlob(person));
export const signersFile = (...people: readonly string[]): string =>
  people.map((person) => `${person}@acme.example ${keyLine(person)}\n`).join("");

export interface FakeTree {
  readonly signers: string | null;
  readonly policy: TrustPolicy | null;
  readonly recorders: readonly string[];
}

export interface FakeCommit {
  readonly by: string | null;
  readonly parents?: readonly string[];
  readonly tree?: Partial<FakeTree>;
  readonly seconds?: number;
  readonly defect?: string;
  readonly forged?: boolean;
  readonly namespace?: string;
}

export const start = Date.parse("2026-11-24T00:00:00Z") / 1000;

/** A repository in memory. Commits are named c1, c2 ... */
export class FakeHistory {
  readonly #commits = new Map<string, TrustCommit>();
  readonly #trees = new Map<string, FakeTree>();
  #head: string | null = null;
  reads = 0;

  get head(): string {
    return this.#head ?? "";
  }

  treeOf(oid: string): FakeTree {
    return this.#trees.get(oid) ?? { signers: null, policy: null, recorders: [] };
  }

  /** On top of the last one unless `parents` says else; its tree is its first parent's with `tree` over it. */
  commit({ by, parents, tree, seconds, defect, forged, namespace }: FakeCommit): string {
    const oid = `c${this.#commits.size + 1}`;
    const line = parents ?? (this.#head === null ? [] : [this.#head]);
    this.#trees.set(oid, { ...this.treeOf(line[0] ?? ""), ...tree });
    const payload = Buffer.from(`commit ${oid} on ${line.join(" ")}`);
    const ident = { name: by ?? "", email: "", seconds: seconds ?? start + this.#commits.size };
    const signature =
      by === null ? null : sign(by, forged === true ? Buffer.from("other") : payload, namespace ?? "git");
    const commit = { oid, tree: oid, parents: line, author: ident, committer: ident, payload, signature };
    this.#commits.set(oid, { ...commit, defect: defect ?? null });
    this.#head = oid;
    return oid;
  }

  walk(verified: string | null, head: string, over: Partial<TrustWalkOptions> = {}): TrustWalk {
    return walkTrust({
      verified: verified === null ? null : { commit: verified },
      head,
      readCommit: (oid) => {
        this.reads++;
        const commit = this.#commits.get(oid);
        if (commit === undefined) throw new Error(`no commit ${oid}`);
        return commit;
      },
      readSigners: (tree) => this.treeOf(tree).signers,
      readPolicy: (tree) => this.treeOf(tree).policy,
      recorderKeys: (tree) => this.treeOf(tree).recorders.map(keyBlob),
      pinnedSigners: null,
      now: new Date((start + 100_000) * 1000),
      crypto: fakeCrypto,
      ...over,
    });
  }
}

function sign(person: string, message: Uint8Array, namespace: string): string {
  const data = signedData(namespace, "sha512", hash("sha512", message));
  const raw = hash("sha512", publicKey(person), data);
  return armorSshsig({ blob: keyBlob(person), namespace, hash: "sha512", algorithm: "ssh-ed25519", raw });
}
