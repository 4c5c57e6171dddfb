import { Fault } from "../../base/index.ts";
import { sha256Hex } from "../../base/node-digest.ts";

/** Blobs of a tenant, each hashed when it is read from the store; the recent ones stay in memory. */
export interface BlobCache {
  /** Fault INTERNAL where the store has no such blob or other bytes under its name. */
  read(tenant: string, sha256: string, signal: AbortSignal): Promise<Uint8Array>;
}

export type ReadBlob = (tenant: string, sha256: string, signal: AbortSignal) => Promise<Uint8Array | null>;

export function createBlobCache(readBlob: ReadBlob, maxBytes: number): BlobCache {
  // The tenant is part of the key: equal bytes of two tenants are two blobs.
  const recent = new Map<string, Uint8Array>();
  let heldBytes = 0;
  const keep = (key: string, bytes: Uint8Array): void => {
    if (bytes.length > maxBytes || recent.has(key)) return;
    recent.set(key, bytes);
    heldBytes += bytes.length;
    for (const [oldest, old] of recent) {
      if (heldBytes <= maxBytes) break;
      recent.delete(oldest);
      heldBytes -= old.length;
    }
  };
  return {
    read: async (tenant, sha256, signal) => {
      const key = `${tenant}/${sha256}`;
      const known = recent.get(key);
      if (known !== undefined) {
        recent.delete(key);
        recent.set(key, known);
        return known;
      }
      const bytes = await readBlob(tenant, sha256, signal);
      if (bytes === null) throw new Fault("INTERNAL", "a pinned blob is not in the store");
      if (sha256Hex(bytes) !== sha256) throw new Fault("INTERNAL", "a pinned blob has another hash");
      keep(key, bytes);
      return bytes;
    },
  };
}
