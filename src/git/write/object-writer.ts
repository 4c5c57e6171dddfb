import { dirname, join } from "node:path";
import { deflateSync } from "node:zlib";
import { Fault } from "../../base/index.ts";
import { type GitObject, hashObject, type Oid, objectHeader } from "../format/object.ts";
import { decodeLooseObject, loosePath } from "../read/loose-object.ts";
import { errnoOf } from "../read/regular-file.ts";
import { makeDirectories, type WriteSite } from "./write-site.ts";

const objectMode = 0o444;
const maxNames = 16;

/**
 * Writes loose objects and resolves when all of them would outlive a power cut: temporary file, fsync, rename, then one
 * fsync a directory for the whole list. What is there already is compared; a torn file is replaced, a good one synced,
 * since another writer may not have done it.
 */
export async function writeObjects(site: WriteSite, objects: readonly GitObject[]): Promise<readonly Oid[]> {
  const objectsDir = join(site.repository.commonDir, "objects");
  const oids = objects.map(({ type, body }) => hashObject(type, body));
  const written = new Set<Oid>();
  const touched = new Set<string>();
  for (const [index, object] of objects.entries()) {
    const oid = oids[index];
    if (oid === undefined || written.has(oid)) continue;
    const path = loosePath(objectsDir, oid);
    await makeDirectories(site, objectsDir, [oid.slice(0, 2)]);
    if (await isSound(site, path, object)) await site.fs.syncFile(path);
    else await writeLoose(site, path, object);
    written.add(oid);
    touched.add(dirname(path));
  }
  for (const dir of touched) await site.fs.syncDir(dir);
  return oids;
}

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

async function writeLoose(site: WriteSite, path: string, { type, body }: GitObject): Promise<void> {
  const { fs } = site;
  const bytes = deflateSync(Buffer.concat([objectHeader(type, body.length), body]), { level: 1 });
  const { temporary, file } = await createTemporary(site, dirname(path));
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

/** The name is one that stock `git gc` knows and sweeps after a crash. */
async function createTemporary(site: WriteSite, dir: string) {
  for (let attempt = 0; ; attempt++) {
    const chance = Math.floor(site.random() * 2 ** 48).toString(16);
    const temporary = join(dir, `tmp_obj_${chance}${attempt === 0 ? "" : `_${String(attempt)}`}`);
    try {
      return { temporary, file: await site.fs.create(temporary, objectMode) };
    } catch (error) {
      if (errnoOf(error) !== "EEXIST" || attempt >= maxNames) throw error;
    }
  }
}
