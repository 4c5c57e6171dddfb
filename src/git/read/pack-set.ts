import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Fault, faultOf } from "../../base/index.ts";
import { PackFile } from "./pack-file.ts";
import { PackIndex } from "./pack-index.ts";
import { isAbsent, unreadable } from "./regular-file.ts";

/** One pack with its index; the file itself is opened at the first read. */
export interface Pack {
  /** Never given twice, so that a cache key cannot meet the pack of another time. */
  readonly id: number;
  readonly index: PackIndex;
  /** The open pack, or null when it vanished. */
  file(): PackFile | null;
}

interface OpenPack extends Pack {
  close(): void;
}

/** Descriptors held at once in one objects directory; the rest is opened again when it is needed. */
const maxOpenFiles = 64;
let nextId = 0;

/** The packs of one objects directory, as of the last scan. */
export class PackSet {
  readonly #dir: string;
  readonly #packs = new Map<string, OpenPack>();
  readonly #open = new Set<OpenPack>();
  #modified = -1;
  #fault: Fault | null = null;

  constructor(objectsDir: string) {
    this.#dir = join(objectsDir, "pack");
  }

  [Symbol.iterator](): Iterator<Pack> {
    return this.#packs.values();
  }

  /** What was wrong with an index at the last scan: one bad file must not hide the packs beside it. */
  get fault(): Fault | null {
    return this.#fault;
  }

  /** Reads the directory again; true when the set changed, or was changing while it was read. */
  scan(): boolean {
    this.#modified = this.#modifiedMs();
    this.#fault = null;
    const names = new Set(this.#indexNames());
    let changed = false;
    for (const [name, pack] of this.#packs) {
      if (names.has(name)) continue;
      pack.close();
      this.#packs.delete(name);
      changed = true;
    }
    for (const name of names) {
      if (!this.#packs.has(name)) changed = this.#add(name) || changed;
    }
    return changed;
  }

  /** True when the directory was written since the last scan: a repack may have left us holding deleted files. */
  isStale(): boolean {
    return this.#modifiedMs() !== this.#modified;
  }

  close(): void {
    for (const pack of this.#packs.values()) pack.close();
    this.#packs.clear();
  }

  /** False when the index is bad, which another scan would not change. */
  #add(name: string): boolean {
    try {
      const index = PackIndex.open(join(this.#dir, name));
      if (index !== null) this.#packs.set(name, this.#packOf(name, index));
      return true;
    } catch (error) {
      this.#fault = faultOf(error);
      return false;
    }
  }

  #packOf(name: string, index: PackIndex): OpenPack {
    const path = join(this.#dir, name.replace(/idx$/u, "pack"));
    let file: PackFile | null = null;
    const pack: OpenPack = {
      id: nextId++,
      index,
      file: () => {
        if (file !== null) return file;
        file = PackFile.open(path, index);
        if (file !== null) this.#hold(pack);
        return file;
      },
      close: () => {
        file?.close();
        file = null;
        this.#open.delete(pack);
      },
    };
    return pack;
  }

  #hold(pack: OpenPack): void {
    this.#open.add(pack);
    const [oldest] = this.#open;
    if (this.#open.size > maxOpenFiles && oldest !== undefined) oldest.close();
  }

  #indexNames(): readonly string[] {
    try {
      return readdirSync(this.#dir).filter((name) => name.endsWith(".idx"));
    } catch (error) {
      if (isAbsent(error)) return [];
      throw unreadable("objects/pack", error);
    }
  }

  #modifiedMs(): number {
    return statSync(this.#dir, { throwIfNoEntry: false })?.mtimeMs ?? -1;
  }
}
