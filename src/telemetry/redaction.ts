/**
 * Takes secrets out of finished text: what path redaction misses (inside messages, stacks, values) is met here. The same
 * scrub serves the daemon's log, step logs and problem documents (law 11).
 */
export type Redact = (text: string) => string;

const mask = "[redacted]";

/**
 * Shapes of credentials. A step chooses the text, and it is read on the daemon's own loop: each must be linear, so none
 * may begin again inside a run that it has just read to its end. No `\b` before a word: in a JSON line what stands
 * before it may be the `n` of an escaped newline.
 */
const shapes: readonly RegExp[] = [
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:(?!-----BEGIN )[\s\S]){0,20000}?-----END [A-Z ]{0,40}PRIVATE KEY-----/g,
  // One that was cut: its end is what the line had no room for.
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[A-Za-z0-9+/=:,. \-\r\n\t]|\\[nrt]){0,20000}/g,
  /Bearer\s+[\w.~+/=-]{8,}/gi,
  /(?<![\w-])[\w-]{0,64}?eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]{5,}/g,
  /AGE-SECRET-KEY-1[A-Z0-9]{20,}/g,
  /(?<=:\/\/[^\s:/@]{1,100}:)[^\s@/]{1,200}(?=@)/g,
];

/** `literals` are the secret values lent out right now, in every spelling; short ones would mask half the text and are left alone. */
export function createRedact(literals: () => readonly string[] = () => []): Redact {
  return (text) => {
    let out = text;
    for (const shape of shapes) out = out.replace(shape, mask);
    // In bytes, as the least length of a secret is: six letters may be twelve of them.
    for (const literal of literals()) if (Buffer.byteLength(literal) >= 8) out = out.replaceAll(literal, mask);
    return out;
  };
}
