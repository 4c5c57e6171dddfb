import { constants } from "node:fs";
import { dirname } from "node:path";
import type { ArtifactFile, ArtifactFs } from "../../../src/artifact/index.ts";

interface Inode {
  live: Buffer;
  synced: Buffer;
}

class PowerCut extends Error {}

/**
 * A file system that keeps apart what was written and what would survive a power cut: content only after its file was
 * synced, names only after their directory was. Fails every call after the `callsLeft`-th.
 */
export class MemoryFs implements ArtifactFs {
  readonly #names = new Map<string, Inode | "directory">();
  #syncedNames = new Map<string, Inode | "directory">();
  callsLeft = Number.POSITIVE_INFINITY;
  calls = 0;

  constructor(root: string) {
    this.#names.set(root, "directory");
    this.#syncedNames.set(root, "directory");
  }

  /** The world after the power came back. */
  cutPower(): void {
    this.#names.clear();
    for (const [path, entry] of this.#syncedNames) {
      if (this.#reachable(path)) this.#names.set(path, entry);
      if (entry !== "directory") entry.live = entry.synced;
    }
    this.#syncedNames = new Map(this.#names);
    this.callsLeft = Number.POSITIVE_INFINITY;
  }

  files(under: string): string[] {
    return [...this.#names]
      .filter(([path, entry]) => path.startsWith(`${under}/`) && entry !== "directory")
      .map(([p]) => p);
  }

  poke(path: string, content: Buffer): void {
    const inode = this.#names.get(path);
    if (inode === undefined || inode === "directory") throw new Error("nothing to poke");
    inode.live = content;
  }

  async open(path: string, flags: number): Promise<ArtifactFile> {
    this.#count();
    const entry = this.#names.get(path);
    if ((flags & constants.O_CREAT) !== 0) {
      if (entry !== undefined) throw errno("EEXIST");
      this.#names.set(path, { live: Buffer.alloc(0), synced: Buffer.alloc(0) });
    } else if (entry === undefined) throw errno("ENOENT");
    return await Promise.resolve(this.#fileOf(path));
  }

  #fileOf(path: string): ArtifactFile {
    const entry = this.#names.get(path);
    let at = 0;
    return {
      write: async (bytes) => {
        this.#count();
        await Promise.resolve();
        if (entry === undefined || entry === "directory") throw errno("EISDIR");
        entry.live = Buffer.concat([entry.live, bytes]);
      },
      read: async (buffer) => {
        this.#count();
        await Promise.resolve();
        if (entry === undefined || entry === "directory") throw errno("EISDIR");
        const bytesRead = entry.live.copy(buffer, 0, at);
        at += bytesRead;
        return { bytesRead };
      },
      sync: async () => {
        this.#count();
        await Promise.resolve();
        if (entry === "directory") this.#syncDirectory(path);
        else if (entry !== undefined) entry.synced = entry.live;
      },
      stat: () => Promise.resolve({ size: entry === undefined || entry === "directory" ? 0 : entry.live.length }),
      close: () => Promise.resolve(),
    };
  }

  #syncDirectory(path: string): void {
    for (const name of this.#syncedNames.keys())
      if (dirname(name) === path && !this.#names.has(name)) this.#syncedNames.delete(name);
    for (const [name, entry] of this.#names) if (dirname(name) === path) this.#syncedNames.set(name, entry);
  }

  async link(from: string, to: string): Promise<void> {
    this.#count();
    await Promise.resolve();
    if (this.#names.has(to)) throw errno("EEXIST");
    this.#names.set(to, this.#need(from));
  }

  async rename(from: string, to: string): Promise<void> {
    this.#count();
    await Promise.resolve();
    this.#names.set(to, this.#need(from));
    this.#names.delete(from);
  }

  async unlink(path: string): Promise<void> {
    this.#count();
    await Promise.resolve();
    this.#need(path);
    this.#names.delete(path);
  }

  async mkdir(path: string): Promise<void> {
    this.#count();
    await Promise.resolve();
    if (this.#names.has(path)) throw errno("EEXIST");
    if (!this.#names.has(dirname(path))) throw errno("ENOENT");
    this.#names.set(path, "directory");
  }

  async readdir(path: string): Promise<readonly string[]> {
    this.#count();
    await Promise.resolve();
    return [...this.#names.keys()].filter((name) => dirname(name) === path).map((name) => name.slice(path.length + 1));
  }

  async stat(path: string): Promise<{ size: number; isFile(): boolean }> {
    this.#count();
    await Promise.resolve();
    const entry = this.#need(path);
    return { size: entry === "directory" ? 0 : entry.live.length, isFile: () => entry !== "directory" };
  }

  #need(path: string): Inode | "directory" {
    const entry = this.#names.get(path);
    if (entry === undefined) throw errno("ENOENT");
    return entry;
  }

  #reachable(path: string): boolean {
    const parent = dirname(path);
    return parent === path || parent === "/" || (this.#syncedNames.has(parent) && this.#reachable(parent));
  }

  #count(): void {
    this.calls++;
    if (this.callsLeft-- <= 0) throw new PowerCut("power cut");
  }
}

function errno(code: string): Error {
  return Object.assign(new Error(code), { code });
}
