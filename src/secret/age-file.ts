import { armor, Decrypter, Encrypter } from "age-encryption";

/** An age file in the repository is at most so large: a secret of the largest size for many recipients, armoured. */
export const maxAgeFileBytes = 64 * 1024;

const maxStanzas = 64;
const armorStart = "-----BEGIN AGE ENCRYPTED FILE-----";
const versionLine = "age-encryption.org/v1";

export type AgeText = { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly why: string };

/**
 * What is wrong with the header of an age file (age-encryption.org/v1), or null. Passphrase files are refused: whoever
 * has the repository could guess at them for ever, and a guess costs the daemon seconds.
 */
export function ageFileDefect(file: Uint8Array): string | null {
  const binary = binaryOf(file);
  return binary.ok ? headerDefect(binary.bytes) : binary.why;
}

/** Decrypts for one identity (`AGE-SECRET-KEY-1…`). `why` never holds content. */
export async function decryptAge(file: Uint8Array, identity: string): Promise<AgeText> {
  const binary = binaryOf(file);
  if (!binary.ok) return binary;
  const defect = headerDefect(binary.bytes);
  if (defect !== null) return { ok: false, why: defect };
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  try {
    return { ok: true, bytes: await decrypter.decrypt(binary.bytes) };
  } catch (error) {
    const isOther = error instanceof Error && /no identity matched/i.test(error.message);
    return { ok: false, why: isOther ? "it is not encrypted to this site's recipient" : "it cannot be decrypted" };
  }
}

/** Armoured, so that a review shows text and not binary. Throws where a recipient is none. */
export async function encryptAge(value: string, recipients: readonly string[]): Promise<string> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return armor.encode(await encrypter.encrypt(value));
}

/** `age1…` of X25519, as `age-keygen` prints it. Other kinds of recipients we could not read back. */
export const isRecipient = (text: string): boolean => /^age1[02-9ac-hj-np-z]{58}$/.test(text);

function binaryOf(file: Uint8Array): AgeText {
  if (file.length > maxAgeFileBytes) return { ok: false, why: `it is longer than ${maxAgeFileBytes} bytes` };
  if (!Buffer.from(file.subarray(0, armorStart.length)).equals(Buffer.from(armorStart)))
    return { ok: true, bytes: file };
  try {
    return { ok: true, bytes: armor.decode(Buffer.from(file).toString("latin1")) };
  } catch {
    return { ok: false, why: "its armour is damaged" };
  }
}

function headerDefect(binary: Uint8Array): string | null {
  const text = Buffer.from(binary.buffer, binary.byteOffset, binary.byteLength).toString("latin1");
  const end = text.indexOf("\n--- ");
  if (!text.startsWith(`${versionLine}\n`) || end < 0) return "it is no age file (age-encryption.org/v1)";
  const kinds = [...text.slice(0, end).matchAll(/\n-> (\S*)/g)].map(([, kind]) => kind);
  if (kinds.length > maxStanzas) return `it has more than ${maxStanzas} recipients`;
  if (kinds.includes("scrypt")) return "it is encrypted with a passphrase; use the recipient of the site";
  return kinds.includes("X25519") ? null : "it has no X25519 recipient (age1…)";
}
