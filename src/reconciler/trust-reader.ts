import { type GitRepository, type Oid, toOid } from "../git/index.ts";
import { decodeDocument } from "../spec/index.ts";
import { parsePublicKey, type TreeReader, type TrustPolicy } from "../trust/index.ts";

const signersPath = "keys/spec_signers";

/** How one trust walk reads trees. What stands in many of them is read and decoded once, by its object id. */
export function trustReader(repository: GitRepository): TreeReader {
  const at = <T>(path: string, kind: "blob" | "tree", read: (oid: Oid) => T): ((tree: string) => T | null) => {
    const once = byOid(read);
    return (tree) => {
      const entry = repository.entryAt(toOid(tree), path);
      return entry?.kind === kind && entry.defect === null ? once(entry.oid) : null;
    };
  };
  const keysBelow = at("sites", "tree", (oid) => recorderKeys(repository, oid));
  return {
    readSigners: at(signersPath, "blob", (oid) => repository.readBlob(oid).toString("utf8")),
    readPolicy: at("orrery.yaml", "blob", (oid) => policyOf(repository.readBlob(oid))),
    recorderKeys: (tree) => keysBelow(tree) ?? [],
  };
}

const maxKept = 1000;

function byOid<T>(read: (oid: Oid) => T): (oid: Oid) => T {
  const kept = new Map<Oid, T>();
  return (oid) => {
    const known = kept.get(oid);
    if (known !== undefined) return known;
    const value = read(oid);
    if (kept.size >= maxKept) kept.clear();
    kept.set(oid, value);
    return value;
  };
}

function policyOf(bytes: Buffer): TrustPolicy | null {
  const decoded = decodeDocument({ path: "orrery.yaml", bytes });
  return decoded.ok && decoded.document.kind === "Repository" ? decoded.document.spec.trust : null;
}

function recorderKeys(repository: GitRepository, sites: Oid): readonly Uint8Array[] {
  return repository.readTree(sites).flatMap(({ kind, defect, name, oid }) => {
    if (kind !== "blob" || defect !== null || !name.endsWith(".yaml")) return [];
    const decoded = decodeDocument({ path: `sites/${name}`, bytes: repository.readBlob(oid) });
    if (!decoded.ok || decoded.document.kind !== "Site") return [];
    return decoded.document.spec.audit.keys.flatMap(({ key }) => keyBlob(key));
  });
}

function keyBlob(line: string): readonly Uint8Array[] {
  const parsed = parsePublicKey(line);
  return parsed.ok ? [parsed.value.blob] : [];
}
