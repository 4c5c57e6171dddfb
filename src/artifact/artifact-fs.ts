import * as fs from "node:fs/promises";

/** An open file, as narrow as the store uses it. */
export interface ArtifactFile {
  write(bytes: Uint8Array): Promise<unknown>;
  read(buffer: Uint8Array): Promise<{ readonly bytesRead: number }>;
  sync(): Promise<void>;
  stat(): Promise<{ readonly size: number }>;
  close(): Promise<void>;
}

/** The file system as an argument, so that tests can stop the store after its k-th call. */
export interface ArtifactFs {
  open(path: string, flags: number, mode?: number): Promise<ArtifactFile>;
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Creates one directory, mode 0700; EEXIST is an error. */
  mkdir(path: string): Promise<void>;
  readdir(path: string): Promise<readonly string[]>;
  stat(path: string): Promise<{ readonly size: number; isFile(): boolean }>;
}

export const nodeArtifactFs: ArtifactFs = {
  open: async (path, flags, mode) => fileOf(await fs.open(path, flags, mode)),
  link: (from, to) => fs.link(from, to),
  rename: (from, to) => fs.rename(from, to),
  unlink: (path) => fs.unlink(path),
  mkdir: (path) => fs.mkdir(path, 0o700),
  readdir: (path) => fs.readdir(path),
  stat: (path) => fs.lstat(path),
};

function fileOf(file: fs.FileHandle): ArtifactFile {
  return {
    // writeFile on an open file writes at its position until all is written: one write may be short.
    write: (bytes) => file.writeFile(bytes),
    read: (buffer) => file.read(buffer, 0, buffer.length, null),
    sync: () => file.sync(),
    stat: () => file.stat(),
    close: () => file.close(),
  };
}

/** The errno name of a file system error, "" for anything else. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
