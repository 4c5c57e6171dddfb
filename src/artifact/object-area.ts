import { createHash, randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { dirname, join } from "node:path";
import { Fault } from "../base/index.ts";
import { type ArtifactFile, type ArtifactFs, errnoOf } from "./artifact-fs.ts";
import { makeDirectory, syncDirectory } from "./durable-directory.ts";
import { objectPath } from "./object-path.ts";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;
const readBytes = 64 * 1024;

interface StoredObject {
  readonly sha256: string;
  readonly bytes: number;
}

export interface ObjectAreaOptions {
  readonly fs: ArtifactFs;
  /** Directory of the objects, and one on the same file system for what is being written. Both exist. */
  readonly area: string;
  readonly staging: string;
}

/** Content-addressed files of one kind, per tenant. */
export interface ObjectArea {
  store(tenant: string, bytes: AsyncIterable<Uint8Array>, maxBytes: number): Promise<StoredObject>;
  read(tenant: string, sha256: string): AsyncIterable<Uint8Array>;
  has(tenant: string, sha256: string): Promise<boolean>;
}

export function createObjectArea(options: ObjectAreaOptions): ObjectArea {
  return {
    store: async (tenant, bytes, maxBytes) => {
      const staged = join(options.staging, randomUUID());
      try {
        const stored = await stage(options.fs, staged, { bytes, maxBytes });
        await publish(options, staged, { tenant, stored });
        return stored;
      } finally {
        await unlinkIfThere(options.fs, staged);
      }
    },
    read: (tenant, sha256) => readVerified(options.fs, objectPath(options.area, tenant, sha256).file, sha256),
    has: async (tenant, sha256) => (await sizeOf(options.fs, objectPath(options.area, tenant, sha256).file)) !== null,
  };
}

async function stage(
  fs: ArtifactFs,
  path: string,
  { bytes, maxBytes }: { readonly bytes: AsyncIterable<Uint8Array>; readonly maxBytes: number },
): Promise<StoredObject> {
  const file = await fs.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    const hash = createHash("sha256");
    let size = 0;
    for await (const chunk of bytes) {
      size += chunk.length;
      if (size > maxBytes)
        throw new Fault("ARTIFACT_TOO_LARGE", `more than ${maxBytes} bytes`, { fields: { maxBytes } });
      hash.update(chunk);
      await file.write(chunk);
    }
    await file.sync();
    return { sha256: hash.digest("hex"), bytes: size };
  } finally {
    await file.close();
  }
}

/** Resolves when name and content survive a power cut: only then may a row name it. */
async function publish(
  { fs, area }: ObjectAreaOptions,
  staged: string,
  { tenant, stored }: { readonly tenant: string; readonly stored: StoredObject },
): Promise<void> {
  const path = objectPath(area, tenant, stored.sha256);
  for (const directory of path.directories) await makeDirectory(fs, directory);
  try {
    await fs.link(staged, path.file);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    // A file cut short by a full disk or a bad restore must not stay the answer for ever.
    if ((await sizeOf(fs, path.file)) !== stored.bytes) await fs.rename(staged, path.file);
  }
  // Also when it was there already: its first writer may not have come this far yet.
  await syncDirectory(fs, dirname(path.file));
}

async function* readVerified(fs: ArtifactFs, path: string, sha256: string): AsyncGenerator<Uint8Array> {
  const file = await openForRead(fs, path);
  try {
    const hash = createHash("sha256");
    for (;;) {
      const buffer = new Uint8Array(readBytes);
      const { bytesRead } = await file.read(buffer);
      if (bytesRead === 0) break;
      const chunk = buffer.subarray(0, bytesRead);
      hash.update(chunk);
      yield chunk;
    }
    if (hash.digest("hex") !== sha256) throw new Fault("ARTIFACT_CORRUPT", "the stored bytes have another hash");
  } finally {
    await file.close();
  }
}

async function openForRead(fs: ArtifactFs, path: string): Promise<ArtifactFile> {
  try {
    return await fs.open(path, O_RDONLY | O_NOFOLLOW);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") throw new Fault("ARTIFACT_MISSING", "not in the store of this tenant");
    throw error;
  }
}

async function sizeOf(fs: ArtifactFs, path: string): Promise<number | null> {
  try {
    const entry = await fs.stat(path);
    return entry.isFile() ? entry.size : null;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
}

async function unlinkIfThere(fs: ArtifactFs, path: string): Promise<void> {
  try {
    await fs.unlink(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}
