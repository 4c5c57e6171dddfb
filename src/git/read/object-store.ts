import { Fault, faultOf } from "../../base/index.ts";
import { applyDelta, readDeltaHeader } from "../format/delta.ts";
import { type GitObject, hashObject, type Oid } from "../format/object.ts";
import { objectDirectories } from "./alternates.ts";
import { readLooseObject } from "./loose-object.ts";
import { ObjectCache } from "./object-cache.ts";
import type { PackEntry, PackFile } from "./pack-file.ts";
import { type Pack, PackSet } from "./pack-set.ts";

export interface ObjectStoreOptions {
  readonly maxObjectBytes: number;
  readonly cacheBytes: number;
  /** More directories of objects, each with its alternates: the quarantine of a push. */
  readonly moreDirectories: readonly string[];
}

interface Directory {
  readonly path: string;
  readonly packs: PackSet;
}

/** Git's own limit. */
const maxChainDepth = 4095;
/** Bytes that one read may produce over its whole delta chain, as a multiple of the object cap: bounds time. */
const chainWorkFactor = 64;
/** Looks for an object again while repacks keep moving it. */
const maxRounds = 8;

/**
 * All objects of a repository: packs first, then loose files, in its own directory and in alternates. Each object is
 * hashed as it is read. A copy that is damaged, or was moved by a repack in the same moment, is looked for elsewhere.
 */
export class ObjectStore {
  readonly #objectsDir: string;
  readonly #options: ObjectStoreOptions;
  readonly #cache: ObjectCache;
  #directories: readonly Directory[] = [];
  #closed = false;

  constructor(objectsDir: string, options: ObjectStoreOptions) {
    this.#objectsDir = objectsDir;
    this.#options = options;
    this.#cache = new ObjectCache(options.cacheBytes);
    this.#rescan();
  }

  /** The object; `REPO_CORRUPT` when no good copy is there, `OBJECT_TOO_LARGE` over the cap. */
  read(oid: Oid): GitObject {
    const search: { fault: Fault | null } = { fault: null };
    for (let round = 0; round < maxRounds; round++) {
      const found = this.#fromPacks(oid, search) ?? this.#fromLoose(oid, search);
      if (found !== null) return found;
      if (!this.#rescan()) break;
    }
    const badIndex = this.#directories.find(({ packs }) => packs.fault !== null)?.packs.fault;
    const why = badIndex === undefined ? "is missing" : `is not found: ${badIndex?.message ?? ""}`;
    throw search.fault ?? new Fault(badIndex?.code ?? "REPO_CORRUPT", `object ${oid} ${why}`, { fields: { oid } });
  }

  /** Whether a good copy is there. */
  has(oid: Oid): boolean {
    try {
      this.read(oid);
      return true;
    } catch (error) {
      // Too large to read is still there.
      return faultOf(error).code === "OBJECT_TOO_LARGE";
    }
  }

  close(): void {
    this.#closed = true;
    for (const { packs } of this.#directories) packs.close();
    this.#directories = [];
    this.#cache.clear();
  }

  #fromPacks(oid: Oid, search: { fault: Fault | null }): GitObject | null {
    const name = Buffer.from(oid, "hex");
    for (const { packs } of this.#directories) {
      for (const pack of packs) {
        const found = this.#tried(oid, search, () => {
          const offset = pack.index.offsetOf(name);
          return offset === null ? null : this.#readPacked(pack, offset);
        });
        if (found !== null) return found;
      }
    }
    return null;
  }

  #fromLoose(oid: Oid, search: { fault: Fault | null }): GitObject | null {
    const cached = this.#tried(oid, search, () => this.#cache.get(oid));
    if (cached !== null) return cached;
    for (const { path } of this.#directories) {
      const found = this.#tried(oid, search, () => readLooseObject(path, oid, this.#options.maxObjectBytes));
      if (found === null) continue;
      this.#cache.put(oid, found);
      if (this.#directories.some(({ packs }) => packs.isStale())) this.#rescan();
      return found;
    }
    return null;
  }

  /** One source. A bad copy is remembered and passed over: another may be good. */
  #tried(oid: Oid, search: { fault: Fault | null }, source: () => GitObject | null): GitObject | null {
    try {
      const object = source();
      if (object === null || hashObject(object.type, object.body) === oid) return object;
      throw new Fault("REPO_CORRUPT", "the bytes do not match the id");
    } catch (error) {
      const fault = faultOf(error);
      if (fault.code === "INTERNAL") throw error;
      search.fault ??= new Fault(fault.code, `object ${oid}: ${fault.message}`, { cause: fault, fields: { oid } });
      return null;
    }
  }

  #readPacked(pack: Pack, offset: number): GitObject | null {
    const keyOf = (at: number): string => `${String(pack.id)}:${String(at)}`;
    const cached = this.#cache.get(keyOf(offset));
    if (cached !== null) return cached;
    const file = pack.file();
    if (file === null) return null;
    const { start, deltas } = this.#chainOf(file, offset, keyOf);
    let object = start.cached ?? { type: start.type, body: file.inflate(start.entry) };
    if (start.cached === null) this.#cache.put(keyOf(start.entry.offset), object);
    let work = 0;
    for (const entry of deltas.reverse()) {
      const delta = file.inflate(entry);
      const header = readDeltaHeader(delta);
      this.#refuseLarge(header.resultBytes);
      work += header.resultBytes + delta.length;
      if (work > this.#options.maxObjectBytes * chainWorkFactor) {
        throw new Fault("OBJECT_TOO_LARGE", "delta chain too costly");
      }
      object = { type: object.type, body: applyDelta(object.body, delta, header) };
      this.#cache.put(keyOf(entry.offset), object);
    }
    return object;
  }

  /** The deltas from the object down to a base that is whole or cached. Only headers are read: sizes are judged first. */
  #chainOf(file: PackFile, offset: number, keyOf: (at: number) => string): Chain {
    const deltas: PackEntry[] = [];
    for (let at = offset; ; ) {
      const cached = deltas.length === 0 ? null : this.#cache.get(keyOf(at));
      if (cached !== null) return { start: { cached }, deltas };
      const entry = file.entryAt(at);
      this.#refuseLarge(entry.size);
      if (entry.type !== null) return { start: { cached: null, type: entry.type, entry }, deltas };
      deltas.push(entry);
      if (deltas.length > maxChainDepth || entry.base === null) throw new Fault("REPO_CORRUPT", "delta chain too deep");
      at = entry.base;
    }
  }

  #refuseLarge(bytes: number): void {
    if (bytes <= this.#options.maxObjectBytes) return;
    throw new Fault("OBJECT_TOO_LARGE", `${String(bytes)} bytes, over ${String(this.#options.maxObjectBytes)}`);
  }

  /** Lists alternates and packs again; true when something changed. */
  #rescan(): boolean {
    if (this.#closed) throw new Fault("INTERNAL", "the repository is closed");
    const roots = [this.#objectsDir, ...this.#options.moreDirectories];
    const paths = [...new Set(roots.flatMap((root) => objectDirectories(root)))];
    const before = new Map(this.#directories.map((directory) => [directory.path, directory]));
    this.#directories = paths.map((path) => before.get(path) ?? { path, packs: new PackSet(path) });
    for (const path of paths) before.delete(path);
    for (const { packs } of before.values()) packs.close();
    const changed = this.#directories.map(({ packs }) => packs.scan());
    return before.size > 0 || changed.includes(true);
  }
}

type Chain = {
  readonly start:
    | { readonly cached: GitObject }
    | { readonly cached: null; readonly type: GitObject["type"]; readonly entry: PackEntry };
  readonly deltas: PackEntry[];
};
