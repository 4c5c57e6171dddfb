import { chown, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../base/index.ts";

/** A host's place on this machine, held until its process is gone. */
export interface HostSlot {
  /** User and group of its own; null where the daemon is no root. */
  readonly uid: number | null;
  /** Mounted read-only into the host; the broker's socket appears in it. */
  readonly brokerDir: string;
  /** Level `process` only. */
  readonly scratchDir: string;
  release(): Promise<void>;
}

export interface HostSlots {
  take(): Promise<HostSlot>;
}

// sun_path holds 108 bytes with its NUL on Linux, 104 on macOS and the BSDs.
const maxSocketPathBytes = process.platform === "linux" ? 107 : 103;

/** Slots below `dir` (short: sockets lie in it). A slot's user is given again only when its last host is gone. */
export function createHostSlots(dir: string, uidsBase: number | null): HostSlots {
  const taken = new Set<number>();
  return {
    take: async () => {
      let index = 0;
      while (taken.has(index)) index++;
      taken.add(index);
      try {
        return await openSlot({ dir, index, uid: uidsBase === null ? null : uidsBase + index }, () =>
          taken.delete(index),
        );
      } catch (error) {
        taken.delete(index);
        throw error;
      }
    },
  };
}

async function openSlot(
  place: { dir: string; index: number; uid: number | null },
  free: () => void,
): Promise<HostSlot> {
  const brokerDir = join(place.dir, `h${String(place.index)}`);
  const scratchDir = join(place.dir, `s${String(place.index)}`);
  if (Buffer.byteLength(join(brokerDir, "broker.sock")) > maxSocketPathBytes)
    throw new Fault("SANDBOX_UNAVAILABLE", `the socket directory's path is too long: ${place.dir}`);
  // What an earlier host left must not be this one's.
  await Promise.all([brokerDir, scratchDir].map((path) => rm(path, { recursive: true, force: true })));
  await mkdir(brokerDir, { mode: place.uid === null ? 0o700 : 0o711 });
  await mkdir(scratchDir, { mode: 0o700 });
  if (place.uid !== null) await chown(scratchDir, place.uid, place.uid);
  return {
    uid: place.uid,
    brokerDir,
    scratchDir,
    release: async () => {
      await Promise.all([brokerDir, scratchDir].map((path) => rm(path, { recursive: true, force: true })));
      free();
    },
  };
}
