import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { deflateSync } from "node:zlib";
import { Fault } from "../../base/index.ts";
import { type GitObject, hashObject, type Oid, objectHeader } from "../format/object.ts";
import { decodeLooseObject, loosePath } from "../read/loose-object.ts";
import { errnoOf } from "../read/regular-file.ts";
import { makeDirectories, type WriteSite } from "./write-site.ts";

const objectMode = 0o444;
const maxNames = 16;
const maxAttempts = 8;

/**
 * Writes loose objects and resolves when all of them would outlive a power cut: temporary file, fsync, rename, then one
 * fsync a directory for the whole list. What is there already is compared; a torn file is replaced, a good one synced,
 * since another writer may not have done it.
 */
export async function writeObjects(site: WriteSite, objects: readonly GitObject[]): Promise<readonly Oid[]> {
  const named = objects.map((object) => ({ oid: hashObject(object.type, object.body), object }));
  const distinct = new Map(named.map(({ oid, object }) => [oid, object]));
  for (let attempt = 1; ; attempt++) {
    try {
      await writeDistinct(site, distinct);
      return named.map(({ oid }) => oid);
    } catch (error) {
      // A repack beside us removes loose files that it packed and directories that it emptied. Nothing is lost by
      // writing the list once more: what is there is only compared.
      if (errnoOf(error) !== "ENOENT" || attempt >= maxAttempts) throw error;
    }
  }
}

async function writeDistinct(site: WriteSite, objects: ReadonlyMap<Oid, GitObject>): Promise<void> {
  const objectsDir = join(site.repository.commonDir, "objects");
  const touched = new Set<string>();
  for (const [oid, object] of objects) {
    const path = loosePath(objectsDir, oid);
    await makeDirectories(site, objectsDir, [oid.slice(0, 2)]);
    if (await isSound(site, path, object)) await site.fs.syncFile(path);
    else await writeLoose(site, path, { oid, ...object });
    touched.add(dirname(path));
  }
  for (const dir of touched) await site.fs.syncDir(dir);
  for (const oid of objects.keys()) await removeLeftovers(site, loosePath(objectsDir, oid), oid);
}

/**
 * A crash of ours left them, and the same objects are written again after it. Somebody else who writes this very object
 * now finds his name gone when he renames, looks again, and finds it sound.
 */
async function removeLeftovers(site: WriteSite, path: string, oid: Oid): Promise<void> {
  const dir = dirname(path);
  for (const name of readdirSync(dir)) {
    if (name.startsWith(temporaryPrefix(oid))) await site.fs.unlink(join(dir, name));
  }
}

/** One that stock `git gc` knows and sweeps too. */
const temporaryPrefix = (oid: Oid): string => `tmp_obj_${oid.slice(2, 14)}_`;

async function isSound(site: WriteSite, path: string, object: GitObject): Promise<boolean> {
  const bytes = await site.fs.read(path);
  if (bytes === null) return false;
  try {
    const { type, body } = decodeLooseObject(bytes, object.body.length);
    return type === object.type && body.equals(object.body);
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}

interface NamedObject extends GitObject {
  readonly oid: Oid;
}

async function writeLoose(site: WriteSite, path: string, { oid, type, body }: NamedObject): Promise<void> {
  const { fs } = site;
  const bytes = deflateSync(Buffer.concat([objectHeader(type, body.length), body]), { level: 1 });
  const { temporary, file } = await createTemporary(site, join(dirname(path), temporaryPrefix(oid)));
  try {
    try {
      await file.write(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await site.ownership.adopt(temporary, "file");
    await fs.rename(temporary, path);
  } catch (error) {
    await fs.unlink(temporary).catch(() => undefined);
    throw error;
  }
}

async function createTemporary(site: WriteSite, prefix: string) {
  for (let attempt = 0; ; attempt++) {
    const chance = Math.floor(site.random() * 2 ** 48).toString(16);
    const temporary = `${prefix}${chance}${attempt === 0 ? "" : `_${String(attempt)}`}`;
    try {
      return { temporary, file: await site.fs.create(temporary, objectMode) };
    } catch (error) {
      if (errnoOf(error) !== "EEXIST" || attempt >= maxNames) throw error;
    }
  }
}
