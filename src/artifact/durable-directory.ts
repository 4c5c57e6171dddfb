import { constants } from "node:fs";
import { dirname } from "node:path";
import { type ArtifactFs, errnoOf } from "./artifact-fs.ts";

/** Makes one directory if it is not there; its name is durable when this resolves. */
export async function makeDirectory(fs: ArtifactFs, path: string): Promise<void> {
  try {
    await fs.mkdir(path);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
  // Another writer may have made it and not synced its name yet.
  await syncDirectory(fs, dirname(path));
}

/** Makes the names in a directory durable: a file's own fsync does not. */
export async function syncDirectory(fs: ArtifactFs, path: string): Promise<void> {
  const directory = await fs.open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
