import { sha256Hex } from "../../base/node-digest.ts";
import type { DecodedSpec } from "../../compute/index.ts";
import type { Oid, TreeSource } from "../../git/index.ts";

/** What is known of file contents by their blob id: read cost follows the change, not the repository. */
export class BlobCache {
  readonly #source: Pick<TreeSource, "readBlob">;
  readonly #facts = new Map<Oid, { readonly sha256: string; readonly bytes: number }>();
  readonly #decoded = new Map<Oid, readonly PlacedSpec[]>();

  constructor(source: Pick<TreeSource, "readBlob">) {
    this.#source = source;
  }

  read(oid: Oid): Buffer {
    return this.#source.readBlob(oid);
  }

  /** SHA-256 and size of a blob's content. */
  facts(oid: Oid): { readonly sha256: string; readonly bytes: number } {
    const known = this.#facts.get(oid);
    if (known !== undefined) return known;
    const content = this.#source.readBlob(oid);
    const facts = { sha256: sha256Hex(content), bytes: content.length };
    bounded(this.#facts).set(oid, facts);
    return facts;
  }

  /** The path decides the kind: one blob at two paths is two documents. */
  decoded(path: string, oid: Oid): DecodedSpec | null {
    return this.#decoded.get(oid)?.find((placed) => placed.path === path)?.decoded ?? null;
  }

  keep(path: string, oid: Oid, decoded: DecodedSpec): void {
    const others = this.#decoded.get(oid)?.filter((placed) => placed.path !== path) ?? [];
    bounded(this.#decoded).set(oid, [...others.slice(-maxPlaces), { path, decoded }]);
  }
}

interface PlacedSpec {
  readonly path: string;
  readonly decoded: DecodedSpec;
}

/** Of one content. */
const maxPlaces = 1000;
const maxEntries = 50_000;

function bounded<K, V>(map: Map<K, V>): Map<K, V> {
  if (map.size >= maxEntries) map.clear();
  return map;
}
