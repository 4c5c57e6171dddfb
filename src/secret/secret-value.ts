/** What a secret may be: text that fits a frame of the sandbox, and is long enough to be told apart from other text. */
export const secretCaps = {
  minBytes: 8,
  maxBytes: 16 * 1024,
} as const;

export type SecretText = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly why: string };

/**
 * The text of a stored value. One line break at its end is not part of it: editors and `echo` put one there. `why` names
 * the rule, never a part of the value.
 */
export function secretText(bytes: Uint8Array): SecretText {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { ok: false, why: "it is not UTF-8" };
  }
  const value = text.replace(/\r?\n$/, "");
  const size = Buffer.byteLength(value);
  // A shorter one could not be masked without masking half of every log, and is guessed anyway.
  if (size < secretCaps.minBytes) return { ok: false, why: `it is shorter than ${secretCaps.minBytes} bytes` };
  if (size > secretCaps.maxBytes) return { ok: false, why: `it is longer than ${secretCaps.maxBytes} bytes` };
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(value))
    return { ok: false, why: "it holds control characters" };
  return { ok: true, value };
}

/** Names of secrets, in the repository and in a plugin: as of steps. */
export const isSecretName = (text: string): boolean => /^[a-z][a-z0-9_]{0,62}$/.test(text);
