import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { Fault } from "../../base/index.ts";
import { readEnvironment } from "../../config/index.ts";
import { gitSetting } from "../person/person.ts";
import { findPersonKey } from "../person/person-key.ts";

/** Answers an armored SSHSIG. */
export type SignMessage = (namespace: string, message: Uint8Array) => Promise<string>;

/**
 * Signs with the key of `--key FILE`, else with git's user.signingkey where that is a file, else with the ed25519 key of
 * ssh-agent. Whatever is no plain ed25519 file is left to ssh-keygen: it asks for passphrases and touches.
 */
export async function findApproverKey(keyFile: string | undefined, cwd: string): Promise<SignMessage> {
  const { sshAuthSock, home } = readEnvironment();
  const file = keyFile ?? fileOf(gitSetting("user.signingkey", cwd), home);
  if (file === undefined || isPlainEd25519(file)) {
    const key = await findPersonKey(file, sshAuthSock);
    return (namespace, message) => key.sign(namespace, message);
  }
  return (namespace, message) => Promise.resolve(bySshKeygen(path.resolve(file), namespace, message));
}

function fileOf(setting: string | null, home: string | null): string | undefined {
  if (setting === null || /^(key::)?(ssh-|ecdsa-|sk-)/.test(setting)) return undefined;
  return setting.startsWith("~/") && home !== null ? path.join(home, setting.slice(2)) : setting;
}

function isPlainEd25519(file: string): boolean {
  try {
    const text = readFileSync(file, "latin1");
    if (!text.startsWith("-----BEGIN OPENSSH")) return false;
    // Cipher and key type stand in the first bytes of a private file.
    const bytes = Buffer.from(text.split("\n").slice(1, -2).join(""), "base64").toString("latin1");
    return /^openssh-key-v1\0.{4}none/s.test(bytes) && bytes.slice(0, 120).includes("\u000bssh-ed25519");
  } catch (error) {
    throw new Fault("KEY_UNREADABLE", `${file}: cannot be read`, { cause: error });
  }
}

function bySshKeygen(file: string, namespace: string, message: Uint8Array): string {
  const { path: PATH, home, sshAuthSock } = readEnvironment();
  const env = {
    PATH,
    ...(home === null ? {} : { HOME: home }),
    ...(sshAuthSock === null ? {} : { SSH_AUTH_SOCK: sshAuthSock }),
  };
  const args = ["-q", "-Y", "sign", "-f", file, "-n", namespace];
  const made = spawnSync("ssh-keygen", args, { input: message, stdio: ["pipe", "pipe", "inherit"], env });
  const armored = made.status === 0 ? made.stdout.toString("latin1") : "";
  if (armored.startsWith("-----BEGIN SSH SIGNATURE-----")) return armored;
  throw new Fault("KEY_UNREADABLE", `${file}: ssh-keygen could not sign with it`);
}
