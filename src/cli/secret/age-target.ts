import { randomBytes } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { encryptAge, isRecipient } from "../../secret/index.ts";
import { specRootOf } from "../place/spec-place.ts";
import { usage } from "../terminal.ts";

export interface AgeSecret {
  readonly tenant: string;
  readonly name: string;
  readonly value: string;
  readonly recipients: readonly string[];
}

/** Writes tenants/<tenant>/secrets/<name>.age into the work tree at or above `start`; answers its path in the repository. */
export async function writeAgeFile(start: string, { tenant, name, value, recipients }: AgeSecret): Promise<string> {
  for (const recipient of recipients)
    if (!isRecipient(recipient)) throw usage(`--recipient ${recipient} is no age recipient (age1…, X25519)`);
  const root = specRootOf(start);
  const folder = path.join(root, "tenants", tenant);
  if (!isFolder(folder))
    throw usage(`${folder} is no folder of a work tree: clone the repository, or name it by --repo`);
  const secrets = path.join(folder, "secrets");
  if (!existsSync(secrets)) mkdirSync(secrets);
  if (!isFolder(secrets)) throw usage(`${secrets} is no folder`);
  const file = path.join(secrets, `${name}.age`);
  const scratch = `${file}.${randomBytes(6).toString("hex")}.new`;
  try {
    writeFileSync(scratch, await encryptAge(value, recipients), { flag: "wx", mode: 0o644 });
    renameSync(scratch, file);
  } finally {
    rmSync(scratch, { force: true });
  }
  return path.relative(root, file);
}

const isFolder = (folder: string): boolean => lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
