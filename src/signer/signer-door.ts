import { chmodSync, chownSync, lstatSync, mkdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import { Fault } from "../base/index.ts";
import { readPrivateKey, type SigningKey } from "./private-key.ts";
import { openSession, type SignerSession } from "./signer-session.ts";
import { openStateFile } from "./signer-state.ts";
import type { SignerOpening } from "./signer-verbs.ts";

export interface OpenedSigner {
  readonly key: SigningKey;
  readonly session: SignerSession;
}

/**
 * Takes the key, goes into the state directory, gives up root, and only then looks at state or requests.
 *
 * The order is the point: the directories above may be closed to the signer's uid (a clone under /root), so key and
 * directory are opened by path as root, and all that follows is relative to the working directory.
 */
export function openSigner({ site, keyFile, stateFile, uid }: SignerOpening): OpenedSigner {
  if (uid !== null && process.getuid?.() !== 0) {
    throw new Fault("SIGNER_REFUSED", "only root can give the signer a uid of its own");
  }
  const key = readPrivateKey(keyFile);
  const directory = dirname(stateFile);
  const name = basename(stateFile);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  process.umask(0o077);
  process.chdir(directory);
  if (uid !== null) {
    own(keyFile, uid);
    own(".", uid);
    own(name, uid);
    own(`${name}.tmp`, uid);
    dropTo(uid);
  }
  chmodSync(".", 0o700);
  return { key, session: openSession({ site, key, file: openStateFile(name) }) };
}

/** Never through a link: root would give away what it points to. */
function own(path: string, uid: number): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isFile() && !stat.isDirectory()) throw new Fault("SIGNER_REFUSED", `${path} is no plain file`);
  if (stat.uid !== uid || stat.gid !== uid) chownSync(path, uid, uid);
}

function dropTo(uid: number): void {
  if (uid === 0) throw new Fault("SIGNER_REFUSED", "the signer's own uid cannot be root");
  process.setgroups?.([]);
  process.setgid?.(uid);
  process.setuid?.(uid);
  if (process.getuid?.() !== uid || process.geteuid?.() !== uid) {
    throw new Fault("SIGNER_REFUSED", `the signer could not become uid ${uid}`);
  }
}
