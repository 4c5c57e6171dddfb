import { bytesOfHex, type Hex, hexOf } from "../base/index.ts";

/** The head of a site's Merkle tree; the body of a C2SP signed note. */
export interface Checkpoint {
  readonly site: string;
  readonly size: number;
  readonly root: Hex;
}

/** Namespace of checkpoint.sig; a commit's is `git`. */
export const checkpointNamespace = "orrery-checkpoint";

/** `orrery/<site>\n<size>\n<base64 root>\n`. */
export function checkpointText({ site, size, root }: Checkpoint): string {
  return `orrery/${site}\n${String(size)}\n${base64OfHex(root)}\n`;
}

/** The one spelling that `checkpointText` writes, else null. */
export function parseCheckpoint(text: string): Checkpoint | null {
  const match = /^orrery\/([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n$/.exec(
    text,
  );
  const [, site, sizeText, root64] = match ?? [];
  if (site === undefined || sizeText === undefined || root64 === undefined) return null;
  const size = Number(sizeText);
  if (!Number.isSafeInteger(size)) return null;
  const root = hexOf(Uint8Array.from(atob(root64), (char) => char.charCodeAt(0)));
  const checkpoint = { site, size, root };
  return checkpointText(checkpoint) === text ? checkpoint : null;
}

function base64OfHex(hex: Hex): string {
  return btoa(String.fromCharCode(...bytesOfHex(hex)));
}
