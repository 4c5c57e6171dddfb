import { spawnSync } from "node:child_process";

export interface Spoken {
  readonly ok: boolean;
  readonly out: string;
}

/** Runs OpenSSH's ssh-keygen, the oracle, with nothing inherited but PATH. */
export function sshKeygen(args: readonly string[], input: string | Uint8Array = ""): Spoken {
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", LC_ALL: "C", TZ: "UTC" };
  const { status, stdout, stderr } = spawnSync("ssh-keygen", [...args], { input, env });
  return { ok: status === 0, out: `${stdout.toString()}${stderr.toString()}`.trim() };
}

/** A new key made by ssh-keygen at `path`, without passphrase unless given. */
export function stockKey(
  path: string,
  { type = "ed25519", passphrase = "", comment = "ana@acme.example" } = {},
): string {
  const made = sshKeygen(["-q", "-t", type, "-N", passphrase, "-C", comment, "-f", path]);
  if (!made.ok) throw new Error(made.out);
  return path;
}
