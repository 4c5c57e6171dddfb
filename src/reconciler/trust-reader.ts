import { type GitRepository, type Oid, toOid } from "../git/index.ts";
import { decodeDocument } from "../spec/index.ts";
import { parsePublicKey, type TreeReader } from "../trust/index.ts";

const signersPath = "keys/spec_signers";

/** How the trust walk reads a tree. Every tree is read once: a long walk meets the same one again and again. */
export function trustReader(repository: GitRepository): TreeReader {
  const bytesAt = (tree: string, path: string): Buffer | null => {
    const entry = repository.entryAt(toOid(tree), path);
    return entry?.kind === "blob" && entry.defect === null ? repository.readBlob(entry.oid) : null;
  };
  return {
    readSigners: (tree) => bytesAt(tree, signersPath)?.toString("utf8") ?? null,
    readPolicy: (tree) => {
      const bytes = bytesAt(tree, "orrery.yaml");
      if (bytes === null) return null;
      const decoded = decodeDocument({ path: "orrery.yaml", bytes });
      return decoded.ok && decoded.document.kind === "Repository" ? decoded.document.spec.trust : null;
    },
    recorderKeys: (tree) => recorderKeys(repository, toOid(tree)),
  };
}

function recorderKeys(repository: GitRepository, tree: Oid): readonly Uint8Array[] {
  const sites = repository.entryAt(tree, "sites");
  if (sites?.kind !== "tree" || sites.defect !== null) return [];
  return repository.readTree(sites.oid).flatMap(({ kind, defect, name, oid }) => {
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
