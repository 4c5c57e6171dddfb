import { type Oid, type TreeSource, toOid } from "../../git/index.ts";
import { decodeDocument, positionOf } from "../../spec/index.ts";
import { type GroundsReader, type PolicyRead, parsePublicKey } from "../../trust/index.ts";

const signersPath = "keys/spec_signers";

/** How trust reads what a tree says of itself. What stands in many trees is read and decoded once, by its object id. */
export function groundsReader(repository: TreeSource): GroundsReader {
  const at = <T>(path: string, kind: "blob" | "tree", read: (oid: Oid) => T): ((tree: string) => T | null) => {
    const once = byOid(read);
    return (tree) => {
      const entry = repository.entryAt(toOid(tree), path);
      return entry?.kind === kind && entry.defect === null ? once(entry.oid) : null;
    };
  };
  const keysBelow = at("sites", "tree", (oid) => recorderKeys(repository, oid));
  const policy = byOid((oid) => policyOf(repository.readBlob(oid)));
  return {
    readSigners: at(signersPath, "blob", (oid) => repository.readBlob(oid).toString("utf8")),
    readPolicy: (tree) => {
      const entry = repository.entryAt(toOid(tree), policyPath);
      if (entry === null) return null;
      // A folder or a symlink in its place is not the absence of rules.
      if (entry.kind !== "blob" || entry.defect !== null)
        return { kind: "unreadable", message: `${policyPath} is no regular file` };
      return policy(entry.oid);
    },
    recorderKeys: (tree) => keysBelow(tree) ?? noKeys,
  };
}

const policyPath = "orrery.yaml";
const maxKept = 1000;
/** One list for all trees without sites: what is the same reads as the same. */
const noKeys: readonly Uint8Array[] = [];

export function byOid<T>(read: (oid: Oid) => T): (oid: Oid) => T {
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

function policyOf(bytes: Buffer): PolicyRead {
  const decoded = decodeDocument({ path: policyPath, bytes });
  if (!decoded.ok) {
    const [finding] = decoded.findings;
    const place = finding === undefined ? policyPath : `${policyPath}:${finding.line}:${finding.col}`;
    return { kind: "unreadable", message: `${place} ${finding?.message ?? "does not decode"}` };
  }
  const { document } = decoded;
  if (document.kind !== "Repository") return { kind: "unreadable", message: `${policyPath} is no Repository` };
  const policy = document.spec.trust;
  const ruleLines = (policy.paths ?? []).map(
    (_, index) => positionOf(document.positions, `/spec/trust/paths/${String(index)}`).line,
  );
  return { kind: "policy", policy, ruleLines };
}

function recorderKeys(repository: TreeSource, sites: Oid): readonly Uint8Array[] {
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
