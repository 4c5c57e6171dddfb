import type { GitObject } from "../format/object.ts";

/** Map and object overhead of an entry: a cache of empty objects must be bounded too. */
const entryBytes = 256;

/** Least recently used objects up to a number of bytes. Holds delta bases, so that a chain is not inflated again. */
export class ObjectCache {
  readonly #objects = new Map<string, GitObject>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(key: string): GitObject | null {
    const found = this.#objects.get(key);
    if (found === undefined) return null;
    this.#objects.delete(key);
    this.#objects.set(key, found);
    return found;
  }

  /** Keeps `object` unless it alone would push out most others. */
  put(key: string, object: GitObject): void {
    const bytes = object.body.length + entryBytes;
    if (bytes > this.#maxBytes / 4 || this.#objects.has(key)) return;
    this.#objects.set(key, object);
    this.#bytes += bytes;
    for (const [oldest, { body }] of this.#objects) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#objects.delete(oldest);
      this.#bytes -= body.length + entryBytes;
    }
  }

  clear(): void {
    this.#objects.clear();
    this.#bytes = 0;
  }
}
