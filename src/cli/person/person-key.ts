import { readFileSync } from "node:fs";
import path from "node:path";
import { Fault } from "../../base/index.ts";
import { agentSigner, listAgentKeys, nodeTrustCrypto, readPrivateKey, signSshsig } from "../../signer/index.ts";
import { ed25519Type, fingerprintOf, type PublicKey, parsePublicKey, publicKeyLine } from "../../trust/index.ts";
import { usage } from "../terminal.ts";

/** The key with which a person signs commits. */
export interface PersonKey {
  readonly blob: Uint8Array;
  readonly comment: string;
  readonly fingerprint: string;
  /** What git's `user.signingkey` must be, so that `git commit -S` signs with it. */
  readonly gitSetting: string;
  /** Armored SSHSIG. */
  sign(namespace: string, message: Uint8Array): Promise<string>;
}

/**
 * The key of `--key FILE` (a private key, or the .pub file of a key that ssh-agent holds), else the first ed25519 key of
 * ssh-agent. USAGE with the ssh-keygen command where there is neither.
 */
export async function findPersonKey(keyFile: string | undefined, agentSocket: string | null): Promise<PersonKey> {
  if (keyFile === undefined) return agentKey(agentSocket);
  const file = path.resolve(keyFile);
  const published = publicKeyOf(file);
  if (published !== null) return keyInAgent(published, file, agentSocket);
  const key = readPrivateKey(file);
  return personKey(key, file, (namespace, message) => Promise.resolve(signSshsig(key, namespace, message)));
}

const makeKey = 'ssh-keygen -t ed25519 -N "" -f ~/.ssh/orrery   and then   --key ~/.ssh/orrery';

async function agentKey(socket: string | null): Promise<PersonKey> {
  if (socket === null)
    throw usage(`whose commit is the first one? No --key FILE and no ssh-agent. Make a key: ${makeKey}`);
  const key = (await listAgentKeys(socket)).find(({ type }) => type === ed25519Type);
  if (key === undefined) throw usage(`ssh-agent holds no ed25519 key. Add one with ssh-add, or make one: ${makeKey}`);
  return keyInAgent(key, publicKeyLine(key.blob), socket);
}

function keyInAgent(key: Pick<PublicKey, "blob" | "comment">, gitSetting: string, socket: string | null): PersonKey {
  if (socket === null) throw usage(`${gitSetting} is a public key, and no ssh-agent holds its private half`);
  const signer = agentSigner(socket, key.blob);
  return personKey(key, gitSetting, (namespace, message) => signer.sign(namespace, message));
}

const personKey = (
  { blob, comment }: Pick<PublicKey, "blob" | "comment">,
  gitSetting: string,
  sign: PersonKey["sign"],
): PersonKey => ({ blob, comment, fingerprint: fingerprintOf(blob, nodeTrustCrypto.sha256), gitSetting, sign });

/** null where the file is no public key: then it may be a private one. */
function publicKeyOf(file: string): PublicKey | null {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Fault("KEY_UNREADABLE", `${file}: cannot be read`, { cause: error });
  }
  if (text.startsWith("-----BEGIN")) return null;
  const parsed = parsePublicKey(text);
  return parsed.ok ? parsed.value : null;
}
